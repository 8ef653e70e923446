-- One row per request, with the load that it put on the API server.
create or replace view request_load as
select
    * exclude (unit_cost_s, overall_cost_s),
    unit_cost_s as demand_s,
    case when is_long_running(verb, subresource) then 0
        else coalesce(latency_ms, 0) / 1e3 end as request_s,
    coalesce(code = 429, false) as throttled,
    coalesce(code >= 500, false) as failed
from with_unit_cost('requests');
comment on view request_load is 'requests, with the load that each put on the API server.';
comment on column request_load.demand_s is 'Uncongested cost of the request, seconds: unit_costs of its class. A watch costs its start; other long-running requests cost nothing here.';
comment on column request_load.request_s is 'Measured latency, seconds; 0 for long-running requests.';
comment on column request_load.throttled is 'True where the answer was 429 Too Many Requests.';
comment on column request_load.failed is 'True where the answer was a server error (5xx).';
