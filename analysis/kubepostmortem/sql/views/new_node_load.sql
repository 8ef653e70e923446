-- One row per interval and cell of load: requests from nodes that joined after the baseline.
create or replace view new_node_load as
select
    requests.cluster,
    time_bucket(to_seconds(rollup_s), received_at) as interval_at,
    component, kind, verb, resource, subresource, scope,
    count(*) as requests
from requests
join new_nodes on new_nodes.cluster = requests.cluster and new_nodes.node = requests.node
join intervals on intervals.cluster = requests.cluster
where joined_after_baseline and code is distinct from 429
group by all;
comment on view new_node_load is 'Requests from nodes that joined after the baseline, without those answered 429, per interval of the rollup, component, verb, resource and scope.';
comment on column new_node_load.cluster is 'Cluster.';
comment on column new_node_load.interval_at is 'Beginning of the interval, UTC; intervals.rollup_s seconds.';
comment on column new_node_load.component is 'Component.';
comment on column new_node_load.kind is 'Kind of the component.';
comment on column new_node_load.verb is 'Verb.';
comment on column new_node_load.resource is 'Resource; null: non-resource URL.';
comment on column new_node_load.subresource is 'Subresource.';
comment on column new_node_load.scope is 'Scope.';
comment on column new_node_load.requests is 'Requests received in the interval and not answered 429.';
