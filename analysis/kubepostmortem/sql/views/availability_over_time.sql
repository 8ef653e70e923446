-- One row per interval and component: how the API server answered it.
create or replace view availability_over_time as
with answers as (
    select
        cluster, component, kind, received_at,
        is_long_running(verb, subresource) as long_running,
        outcome_of(code, started_at) as outcome,
        latency_ms
    from requests
)
select
    cluster, component, any_value(kind) as kind,
    time_bucket(to_seconds(interval_s), received_at) as interval_at,
    any_value(interval_s) as interval_s,
    count(*) as requests,
    count(*) filter (outcome = 'answered') as answered,
    count(*) filter (outcome = 'refused') as refused,
    count(*) filter (outcome in ('failed', 'open')) as failed,
    count(*) filter (outcome = 'answered') / count(*) as answered_share,
    quantile_cont(latency_ms, 0.5) filter (outcome = 'answered' and not long_running) as p50_ms,
    quantile_cont(latency_ms, 0.99) filter (outcome = 'answered' and not long_running) as p99_ms
from answers
join intervals using (cluster)
group by cluster, component, time_bucket(to_seconds(interval_s), received_at)
order by cluster, component, interval_at;
comment on view availability_over_time is 'How the API server answered each component, per interval of charts; intervals without requests have no row.';
comment on column availability_over_time.cluster is 'Cluster.';
comment on column availability_over_time.component is 'Component that called.';
comment on column availability_over_time.kind is 'Kind of the component.';
comment on column availability_over_time.interval_at is 'Beginning of the interval, UTC.';
comment on column availability_over_time.interval_s is 'Width of the interval, seconds.';
comment on column availability_over_time.requests is 'Requests received in the interval.';
comment on column availability_over_time.answered is 'Of them answered: any status but 429 and 5xx; a watch is answered when it begins.';
comment on column availability_over_time.refused is 'Of them answered 429.';
comment on column availability_over_time.failed is 'Of them answered 5xx, which is also what the log says of a client that gave up, or still open when the log ended.';
comment on column availability_over_time.answered_share is 'Answered of all.';
comment on column availability_over_time.p50_ms is 'Median latency of answered requests, milliseconds; long-running ones left out.';
comment on column availability_over_time.p99_ms is '99th percentile of the same.';
