-- One row per cluster, component and evaluation: from how many nodes it lists whole collections.
create or replace view client_fan_out as
with cluster_nodes as (
    select cluster, count(distinct node) as nodes
    from (select cluster, node from nodes
        union select cluster, node from requests where node_from = 'identity')
    group by cluster
),
lists as (
    select distinct cluster, component, node, time_bucket(interval 30 second, received_at) as step_at
    from requests
    where verb = 'list' and scope = 'cluster' and node is not null
        and not coalesce(names_one_object(field_selector), false)
),
steps as (
    select cluster, unnest(generate_series(time_bucket(interval 30 second, begins_at),
        time_bucket(interval 30 second, ends_at), interval 30 second)) as step_at
    from intervals
),
-- Whoever lists counts for the minute.
listing as (
    select distinct cluster, component, node, step_at from lists
    union
    select cluster, component, node, step_at + interval 30 second from lists
),
counted as (
    select cluster, component, step_at, count(*)::double as nodes
    from listing
    group by all
),
dense as (
    select cluster, component, step_at, coalesce(nodes, 0) as nodes
    from steps
    join (select distinct cluster, component from counted) using (cluster)
    left join counted using (cluster, component, step_at)
),
compared as (
    select cluster, component, step_at, nodes,
        median(nodes) over (before rows between 21 preceding and 2 preceding) as usual_nodes,
        count(*) over (before rows between 21 preceding and 2 preceding) as steps_before
    from dense
    window before as (partition by cluster, component order by step_at)
)
select cluster, component, step_at + interval 30 second as evaluated_at,
    compared.nodes, usual_nodes,
    -- One or two nodes are no fan-out, however small the cluster.
    if(compared.nodes < 3, 0, (compared.nodes - usual_nodes) / cluster_nodes.nodes) as value
from compared
join cluster_nodes using (cluster)
where steps_before >= 2;
comment on view client_fan_out is 'From how many nodes each component lists whole collections of the cluster, every 30 seconds: what an early alert rule over the audit log evaluates.';
comment on column client_fan_out.cluster is 'Cluster.';
comment on column client_fan_out.component is 'Component.';
comment on column client_fan_out.evaluated_at is 'When the rule is evaluated, UTC; it knows what was received before.';
comment on column client_fan_out.nodes is 'Nodes from which it sent such a list in the last minute.';
comment on column client_fan_out.usual_nodes is 'Median of the ten minutes before that, in steps of 30 seconds, or of what there is of them.';
comment on column client_fan_out.value is 'Nodes more than usual, as a part of all nodes of the cluster; 0 for fewer than 3 nodes.';
