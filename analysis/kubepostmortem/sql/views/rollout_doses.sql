-- One row per workload with new pods: whether load grew on the nodes that they came to.
create or replace view rollout_doses as
with windows as (
    select cluster,
        min(begins_at) filter (time_window = 'overload') as begins_at,
        max(ends_at) filter (time_window = 'overload') as ends_at
    from incident group by cluster
),
exposed as (
    select
        pods.cluster, workload, node,
        epoch(any_value(ends_at) - greatest(min(appeared_at), any_value(begins_at))) as exposed_s
    from pods_first_seen as pods
    join windows using (cluster)
    where is_new and node is not null and appeared_at < ends_at
    group by all
),
grown as (
    select
        requests.cluster, node,
        sum(if(time_window = 'overload', 1, -1) / epoch(ends_at - begins_at)) as growth_rps
    from requests
    join incident
        on incident.cluster = requests.cluster
        and received_at >= begins_at and received_at < ends_at
    where node is not null
    group by all
)
select
    cluster, workload,
    count(*) as nodes,
    count(exposed_s) as nodes_reached,
    avg(growth_rps) filter (exposed_s is not null) as reached_growth_rps,
    avg(growth_rps) filter (exposed_s is null) as other_growth_rps,
    -- Of nodes that all got their pod at once nothing can be told.
    if(stddev_pop(coalesce(exposed_s, 0)) > 0.5 and stddev_pop(growth_rps) > 0,
        round(corr(coalesce(exposed_s, 0), growth_rps), 9), null) as correlation
from grown
join (select distinct cluster, workload from exposed) using (cluster)
left join exposed using (cluster, workload, node)
group by all
order by cluster, workload;
comment on view rollout_doses is 'Dose and response over nodes: how long a node had a new pod of a workload in the overload, against how much the requests from that node grew.';
comment on column rollout_doses.cluster is 'Cluster.';
comment on column rollout_doses.workload is 'Workload as namespace/name, inferred from pod names.';
comment on column rollout_doses.nodes is 'Nodes that called in either window.';
comment on column rollout_doses.nodes_reached is 'Of them, nodes that had a new pod of the workload before the overload ended.';
comment on column rollout_doses.reached_growth_rps is 'Growth of the requests from a reached node, all callers on it, requests per second, average.';
comment on column rollout_doses.other_growth_rps is 'The same of a node that was not reached; null: all were.';
comment on column rollout_doses.correlation is 'Pearson correlation over nodes of the seconds with a new pod (0: not reached) with the growth in requests per second; null: all nodes got it at once, or none grew.';
