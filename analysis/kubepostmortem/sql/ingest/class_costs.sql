-- What answered requests of a cluster took outside queues, per class: in the whole log or in windows.
insert into class_costs by name
with spans as (
    select *
    from (
        select 'log' as span, '-infinity'::timestamp as begins_at, 'infinity'::timestamp as ends_at
        union all
        select time_window, begins_at, ends_at from incident where cluster = $cluster
    )
    where list_contains($spans, span)
),
latencies as (
    select
        requests.cluster, component, verb, resource, subresource, scope, span,
        case
            when code is null or code >= 400 then null
            -- Of a watch only the start is work of its own; its lifetime is no cost.
            when verb = 'watch' then (epoch_us(started_at) - epoch_us(received_at)) / 1e3
            when is_long_running(verb, subresource) is not true then latency_ms
        end as took_ms,
        -- greatest would take 0 for a null.
        if(took_ms is null, null, greatest(took_ms - coalesce(apf_queue_wait_ms, 0), 0))
            as server_ms
    from requests
    join spans on received_at >= begins_at and received_at < ends_at
    where requests.cluster = $cluster
),
-- Counts per bucket of like latencies (5 %) take little memory, however many requests there are,
-- and do not depend on their order: Masson, Rim, Lee 2019 (DDSketch), VLDB 12(12).
buckets as (
    select
        * exclude (took_ms, server_ms),
        floor(20 * ln(greatest(server_ms, 1e-3)))::smallint as bucket,
        count(server_ms) as answered_here,
        min(server_ms) as least_ms,
        max(server_ms) as most_ms
    from latencies
    group by all
),
ranked as (
    select
        *,
        sum(answered_here) over (of_class) as answered,
        floor(0.1 * (answered - 1)) - sum(answered_here) over (of_class order by bucket)
            + answered_here as place
    from buckets
    window of_class as (
        partition by cluster, component, verb, resource, subresource, scope, span
    )
)
select
    cluster, component, verb, resource, subresource, scope, span,
    any_value(answered)::bigint as answered,
    -- Under overload everybody's latency grows, and a mean would charge the victims for it: so the
    -- tenth percentile, as if the requests of a bucket were spread evenly.
    any_value(least_ms + (most_ms - least_ms) * place / greatest(answered_here - 1, 1))
        filter (place >= 0 and place < answered_here) as cost_ms
from ranked
group by all
