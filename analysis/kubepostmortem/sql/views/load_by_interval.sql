-- One row per interval and cell of load.
create or replace view load_by_interval as
select
    load.cluster, component, kind, verb, resource, scope,
    time_bucket(to_seconds(interval_s), load.interval_at) as interval_at,
    interval_s,
    sum(load.requests)::bigint as requests,
    sum(load.requests * unit_cost_s) as demand_s,
    sum(request_s) as request_s,
    coalesce(sum(load.requests) filter (code_class = '429'), 0)::bigint as throttled,
    coalesce(sum(load.requests) filter (code_class = '5xx'), 0)::bigint as failed
from with_unit_cost('load_rollup') as load
join intervals using (cluster)
group by all;
comment on view load_by_interval is 'Load over time per component, verb, resource and scope; interval_s seconds per row.';
comment on column load_by_interval.cluster is 'Cluster.';
comment on column load_by_interval.component is 'Component.';
comment on column load_by_interval.kind is 'Kind of the component.';
comment on column load_by_interval.verb is 'Verb.';
comment on column load_by_interval.resource is 'Resource; null: non-resource URL.';
comment on column load_by_interval.scope is 'Scope.';
comment on column load_by_interval.interval_at is 'Beginning of the interval, UTC.';
comment on column load_by_interval.interval_s is 'Width of the interval, seconds.';
comment on column load_by_interval.requests is 'Requests received in the interval.';
comment on column load_by_interval.demand_s is 'Uncongested API server time asked for, seconds.';
comment on column load_by_interval.request_s is 'Latency of the requests received, seconds.';
comment on column load_by_interval.throttled is 'Requests answered 429.';
comment on column load_by_interval.failed is 'Requests answered 5xx.';
