-- One row per cluster, component and 10 seconds: requests, and those that went badly for the caller.
create or replace view harm_over_time as
with judged as (
    select
        cluster, component, kind, time_bucket(interval 10 second, received_at) as step_at,
        coalesce(code = 429, false) as is_refused,
        coalesce(code >= 500, false) as is_failed,
        -- What Kubernetes promises for requests of one object, a namespace, the whole cluster.
        coalesce(latency_ms >= 1000 * case scope when 'cluster' then 30 when 'namespace' then 5
            else 1 end, false) as is_slow
    from requests
    where not is_long_running(verb, subresource)
)
select cluster, component, kind, step_at,
    count(*) as requests,
    count(*) filter (is_refused) as refused,
    count(*) filter (is_failed) as failed,
    count(*) filter (is_slow) as slow,
    count(*) filter (is_refused or is_failed or is_slow) as harmed
from judged
group by cluster, component, kind, step_at;
comment on view harm_over_time is 'Requests that were refused, failed or took longer than Kubernetes promises, by component and 10 seconds; without watches and other long-running requests.';
comment on column harm_over_time.cluster is 'Cluster.';
comment on column harm_over_time.component is 'Component.';
comment on column harm_over_time.kind is 'Kind of the component.';
comment on column harm_over_time.step_at is 'Beginning of the 10 seconds in which the requests were received, UTC.';
comment on column harm_over_time.requests is 'Requests.';
comment on column harm_over_time.refused is 'Requests answered 429.';
comment on column harm_over_time.failed is 'Requests answered 5xx.';
comment on column harm_over_time.slow is 'Requests that took longer than is promised: 1 s for an object, 5 s for a namespace, 30 s for the cluster; time in queues counts.';
comment on column harm_over_time.harmed is 'Requests that were refused, failed or slow.';
