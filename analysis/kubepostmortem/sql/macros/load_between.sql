-- One row per cell of load between two times, half-open: load_by_window for any other span.
create or replace macro load_between(from_at, to_at) as table
select
    cluster, component, kind, verb, resource, subresource, scope, requests,
    requests / epoch(to_at::timestamp - from_at::timestamp) as rps,
    demand_s / epoch(to_at::timestamp - from_at::timestamp) as demand,
    request_s / epoch(to_at::timestamp - from_at::timestamp) as request_seconds,
    throttled, failed
from (
    select
        cluster, component, kind, verb, resource, subresource, scope,
        count(*) as requests,
        sum(demand_s) as demand_s,
        sum(request_s) as request_s,
        count(*) filter (throttled) as throttled,
        count(*) filter (failed) as failed
    from request_load
    where received_at >= from_at::timestamp and received_at < to_at::timestamp
    group by all
)
order by demand desc, component, verb, resource, subresource, scope, cluster;
comment on macro table load_between is 'Load per component, verb, resource and scope between two UTC times, half-open.';
