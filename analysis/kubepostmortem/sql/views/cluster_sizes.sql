-- One row per cluster: how many nodes it has.
create or replace view cluster_sizes as
with named as (
    select cluster, count(distinct node) as nodes
    from (
        select cluster, node from nodes
        union
        select cluster, node from requests where node_from = 'identity'
    )
    group by cluster
),
counted as (
    select cluster, objects as nodes, objects_from
    from stored_objects
    where resource = 'nodes' and objects > 0
)
select
    cluster,
    coalesce(counted.nodes, named.nodes) as nodes,
    case when counted.nodes is null then 'names' else objects_from end as nodes_from
from named
full join counted using (cluster)
order by cluster;
comment on view cluster_sizes is 'Nodes of each cluster: as the API server counts them, else those that are listed or whose kubelet called.';
comment on column cluster_sizes.cluster is 'Cluster.';
comment on column cluster_sizes.nodes is 'Nodes.';
comment on column cluster_sizes.nodes_from is 'How they are known: metric, kubectl (counted in a list), or names (of nodes and kubelets).';
