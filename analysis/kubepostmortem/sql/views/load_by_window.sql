-- One row per cell of load: what each component did to each resource in the two windows.
create or replace view load_by_window as
with loads as (
    select
        load.cluster, component, load.kind, verb, resource, subresource, scope,
        time_window,
        sum(requests) / any_value(window_s) as rps,
        sum(requests * unit_cost_s) / any_value(window_s) as demand,
        sum(request_s) / any_value(window_s) as request_seconds,
        sum(requests) filter (code_class = '429') / any_value(window_s) as throttled_rps,
        sum(requests) filter (code_class = '5xx') / any_value(window_s) as failed_rps
    from with_unit_cost('load_rollup') as load
    -- Windows are whole intervals of the rollup.
    join (select *, epoch(ends_at - begins_at) as window_s from incident) as incident
        on incident.cluster = load.cluster
        and interval_at >= begins_at and interval_at < ends_at
    group by all
)
select
    cluster, component, kind, verb, resource, subresource, scope,
    coalesce(sum(rps) filter (time_window = 'baseline'), 0) as baseline_rps,
    coalesce(sum(rps) filter (time_window = 'overload'), 0) as overload_rps,
    coalesce(sum(demand) filter (time_window = 'baseline'), 0) as baseline_demand,
    coalesce(sum(demand) filter (time_window = 'overload'), 0) as overload_demand,
    coalesce(sum(request_seconds) filter (time_window = 'baseline'), 0) as baseline_request_seconds,
    coalesce(sum(request_seconds) filter (time_window = 'overload'), 0) as overload_request_seconds,
    coalesce(sum(throttled_rps) filter (time_window = 'baseline'), 0) as baseline_throttled_rps,
    coalesce(sum(throttled_rps) filter (time_window = 'overload'), 0) as overload_throttled_rps,
    coalesce(sum(failed_rps) filter (time_window = 'baseline'), 0) as baseline_failed_rps,
    coalesce(sum(failed_rps) filter (time_window = 'overload'), 0) as overload_failed_rps
from loads
group by all;
comment on view load_by_window is 'Load in the baseline and the overload window per component, verb, resource and scope.';
comment on column load_by_window.cluster is 'Cluster.';
comment on column load_by_window.component is 'Component.';
comment on column load_by_window.kind is 'Kind of the component.';
comment on column load_by_window.verb is 'Verb.';
comment on column load_by_window.resource is 'Resource; null: non-resource URL.';
comment on column load_by_window.subresource is 'Subresource.';
comment on column load_by_window.scope is 'Scope.';
comment on column load_by_window.baseline_rps is 'Requests per second in the baseline, whatever their answer.';
comment on column load_by_window.overload_rps is 'Requests per second in the overload, whatever their answer.';
comment on column load_by_window.baseline_demand is 'Seconds of uncongested API server time asked for per second, baseline.';
comment on column load_by_window.overload_demand is 'Seconds of uncongested API server time asked for per second, overload.';
comment on column load_by_window.baseline_request_seconds is 'Seconds of latency per second, that is requests in flight (Little''s law), baseline.';
comment on column load_by_window.overload_request_seconds is 'Seconds of latency per second, that is requests in flight (Little''s law), overload.';
comment on column load_by_window.baseline_throttled_rps is 'Requests per second answered 429, baseline.';
comment on column load_by_window.overload_throttled_rps is 'Requests per second answered 429, overload.';
comment on column load_by_window.baseline_failed_rps is 'Requests per second answered 5xx, baseline.';
comment on column load_by_window.overload_failed_rps is 'Requests per second answered 5xx, overload.';
