-- One row per request, with the load that it put on the API server.
create or replace view request_load as
select
    requests.*,
    -- A class that was never answered has no cost of its own: take what others paid for the like.
    coalesce(own.unit_cost_ms, alike.unit_cost_ms, 0) / 1e3 as demand_s,
    case when is_long_running(requests.verb, requests.subresource) then 0
        else coalesce(requests.latency_ms, 0) / 1e3 end as request_s,
    coalesce(requests.code = 429, false) as throttled,
    coalesce(requests.code >= 500, false) as failed
from requests
left join unit_costs as own
    on own.cluster = requests.cluster and own.component = requests.component
    and own.verb = requests.verb and own.scope = requests.scope
    and own.resource is not distinct from requests.resource
    and own.subresource is not distinct from requests.subresource
left join (
    select cluster, verb, resource, scope, median(unit_cost_ms) as unit_cost_ms
    from unit_costs
    group by all
) as alike
    on alike.cluster = requests.cluster and alike.verb = requests.verb
    and alike.scope = requests.scope and alike.resource is not distinct from requests.resource;
comment on view request_load is 'requests, with the load that each put on the API server.';
comment on column request_load.demand_s is 'Uncongested cost of the request, seconds: unit_costs of its class. A watch costs its start; other long-running requests cost nothing here.';
comment on column request_load.request_s is 'Measured latency, seconds; 0 for long-running requests.';
comment on column request_load.throttled is 'True where the answer was 429 Too Many Requests.';
comment on column request_load.failed is 'True where the answer was a server error (5xx).';
