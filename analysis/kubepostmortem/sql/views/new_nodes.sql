-- One row per node that called: since when, and whether it joined after the baseline.
create or replace view new_nodes as
with calls as (
    select
        cluster, node,
        min(received_at) as first_at,
        min(received_at) filter (node_from = 'identity') as first_kubelet_at
    from requests
    where node is not null
    group by all
)
select
    calls.cluster, calls.node, first_at, created_at,
    -- A log may leave out the calls of kubelets, and then agents that begin to call are on old
    -- nodes: without the Node object only a kubelet that others preceded tells of a new node.
    first_at >= baseline.ends_at and coalesce(
        created_at >= baseline.ends_at,
        first_kubelet_at >= baseline.ends_at
            and count(*) filter (first_kubelet_at < baseline.ends_at)
                over (partition by calls.cluster) > 0,
        false) as joined_after_baseline
from calls
join incident as baseline
    on baseline.cluster = calls.cluster and baseline.time_window = 'baseline'
left join nodes on nodes.cluster = calls.cluster and nodes.node = calls.node;
comment on view new_nodes is 'Nodes that called the API server, in clusters with a baseline window, and whether they joined after it.';
comment on column new_nodes.cluster is 'Cluster.';
comment on column new_nodes.node is 'Node name.';
comment on column new_nodes.first_at is 'First request from the node in the log, UTC.';
comment on column new_nodes.created_at is 'When its Node object was created, UTC; null where there is none in the evidence.';
comment on column new_nodes.joined_after_baseline is 'True where the node did not call before the end of the baseline, and its Node object, or else the first call of its kubelet, is later too.';
