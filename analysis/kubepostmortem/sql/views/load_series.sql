-- One row per interval of the rollup and cell of load, over both windows and the time between them.
create or replace view load_series as
with counted as (
    select
        cluster, interval_at, component, kind, verb, resource, subresource, scope,
        requests, request_s, 0 as new_node_requests,
        if(code_class = '429', requests, 0) as throttled,
        if(code_class = '5xx', requests, 0) as failed
    from load_rollup
    union all by name
    select * rename (requests as new_node_requests), 0 as requests, 0 as request_s, 0 as throttled,
        0 as failed
    from new_node_load
),
cells as (
    select
        cluster, interval_at, component, kind, verb, resource, subresource, scope,
        sum(requests)::double as requests,
        sum(throttled)::double as throttled,
        sum(failed)::double as failed,
        sum(new_node_requests)::double as new_node_requests,
        sum(request_s) as request_s
    from counted
    join (
        select cluster, min(begins_at) as begins_at, max(ends_at) as ends_at
        from incident
        group by cluster
        having count(*) = 2
    ) as windows using (cluster)
    where interval_at >= begins_at and interval_at < ends_at
    group by all
)
select * exclude (overall_cost_s) from with_unit_cost('cells');
comment on view load_series is 'Load of each component, verb, resource and scope per interval of the rollup, from the begin of the first window to the end of the last; intervals without requests have no row. What attribution reads.';
comment on column load_series.cluster is 'Cluster.';
comment on column load_series.interval_at is 'Beginning of the interval, UTC; intervals.rollup_s seconds.';
comment on column load_series.component is 'Component.';
comment on column load_series.kind is 'Kind of the component.';
comment on column load_series.verb is 'Verb.';
comment on column load_series.resource is 'Resource; null: non-resource URL.';
comment on column load_series.subresource is 'Subresource.';
comment on column load_series.scope is 'Scope.';
comment on column load_series.requests is 'Requests received in the interval, whatever their answer.';
comment on column load_series.throttled is 'Of them answered 429.';
comment on column load_series.failed is 'Of them answered 5xx.';
comment on column load_series.new_node_requests is 'Of them from nodes that joined after the baseline and not answered 429.';
comment on column load_series.request_s is 'Their latency, seconds; 0 for long-running requests.';
comment on column load_series.unit_cost_s is 'Uncongested cost of one request of the class, seconds.';
