-- The requests of a cluster, counted per interval, cell of load and class of status codes.
insert into load_rollup by name
select
    cluster,
    time_bucket(to_seconds(rollup_s), received_at) as interval_at,
    component, kind, verb, resource, subresource, scope,
    case code when 429 then '429' else coalesce(code // 100 || 'xx', 'open') end as code_class,
    count(*) as requests,
    -- Whole microseconds: sums of fractions would depend on their order.
    sum(if(is_long_running(verb, subresource), 0, coalesce(round(latency_ms * 1e3), 0)::bigint))
        / 1e6 as request_s,
    sum(coalesce(round(apf_queue_wait_ms * 1e3), 0)::bigint) / 1e6 as queue_wait_s
from requests
join intervals using (cluster)
where cluster = $cluster
group by all
