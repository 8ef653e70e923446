-- One row per component and window: how the API server answered it.
create or replace view availability_by_window as
with answers as (
    select
        requests.cluster, component, kind, time_window, begins_at, ends_at,
        is_long_running(verb, subresource) as long_running,
        outcome_of(code, started_at) as outcome,
        latency_ms
    from requests
    join incident
        on incident.cluster = requests.cluster
        and received_at >= begins_at and received_at < ends_at
)
select
    cluster, component, any_value(kind) as kind, time_window,
    count(*) as requests,
    count(*) / any_value(epoch(ends_at - begins_at)) as requests_per_s,
    count(*) filter (outcome = 'answered') as answered,
    count(*) filter (outcome = 'refused') as refused,
    count(*) filter (outcome in ('failed', 'open')) as failed,
    count(*) filter (outcome = 'answered') / count(*) as answered_share,
    quantile_cont(latency_ms, 0.5) filter (outcome = 'answered' and not long_running) as p50_ms,
    quantile_cont(latency_ms, 0.99) filter (outcome = 'answered' and not long_running) as p99_ms
from answers
group by cluster, component, time_window
order by cluster, component, time_window;
comment on view availability_by_window is 'How the API server answered each component in the baseline and in the overload.';
comment on column availability_by_window.cluster is 'Cluster.';
comment on column availability_by_window.component is 'Component that called.';
comment on column availability_by_window.kind is 'Kind of the component.';
comment on column availability_by_window.time_window is 'baseline or overload.';
comment on column availability_by_window.requests is 'Requests received in the window.';
comment on column availability_by_window.requests_per_s is 'The same per second.';
comment on column availability_by_window.answered is 'Of them answered: any status but 429 and 5xx; a watch is answered when it begins.';
comment on column availability_by_window.refused is 'Of them answered 429.';
comment on column availability_by_window.failed is 'Of them answered 5xx, which is also what the log says of a client that gave up, or still open when the log ended.';
comment on column availability_by_window.answered_share is 'Answered of all.';
comment on column availability_by_window.p50_ms is 'Median latency of answered requests, milliseconds; long-running ones left out.';
comment on column availability_by_window.p99_ms is '99th percentile of the same.';
