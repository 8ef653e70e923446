-- One row per cell of load between two times, half-open: load_by_window for any other span.
create or replace macro load_between(from_at, to_at) as table
with spans as (
    -- Load is counted in whole intervals: the span reaches from the beginning of one to an end.
    select
        cluster,
        time_bucket(to_seconds(rollup_s), from_at::timestamp) as since,
        end_of_interval(to_at::timestamp, rollup_s) as until
    from intervals
)
select
    cluster, component, kind, verb, resource, subresource, scope,
    sum(requests)::bigint as requests,
    sum(requests) / epoch(any_value(until) - any_value(since)) as rps,
    sum(requests * unit_cost_s) / epoch(any_value(until) - any_value(since)) as demand,
    sum(request_s) / epoch(any_value(until) - any_value(since)) as request_seconds,
    coalesce(sum(requests) filter (code_class = '429'), 0)::bigint as throttled,
    coalesce(sum(requests) filter (code_class = '5xx'), 0)::bigint as failed
from with_unit_cost('load_rollup')
join spans using (cluster)
where interval_at >= since and interval_at < until
group by all
order by demand desc, component, verb, resource, subresource, scope, cluster;
comment on macro table load_between is 'Load per component, verb, resource and scope between two UTC times, half-open. A time within an interval of the rollup (intervals.rollup_s seconds, at most 10) takes in the whole of it.';
