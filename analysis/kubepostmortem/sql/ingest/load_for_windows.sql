-- One row per interval of a span of a cluster, empty ones too: the load that windows are found from.
with load as (
    select
        time_bucket(to_seconds($width_s::integer), received_at) as interval_at,
        -- Costs of the whole log: windows must not depend on windows found before.
        sum(coalesce(overall_cost_ms, 0)) / 1e3 as demand_s,
        count(*) as requests
    from requests
    left join unit_costs as costs
        on costs.cluster = requests.cluster and costs.component = requests.component
        and costs.verb = requests.verb and costs.scope = requests.scope
        and costs.resource is not distinct from requests.resource
        and costs.subresource is not distinct from requests.subresource
    where requests.cluster = $cluster
        and received_at between $begins_at::timestamp and $ends_at::timestamp
    group by interval_at
)
select
    interval_at,
    coalesce(demand_s, 0)::double as demand_s,
    coalesce(requests, 0)::double as requests
from (
    select unnest(range(
        time_bucket(to_seconds($width_s::integer), $begins_at::timestamp),
        $ends_at::timestamp + to_microseconds(1),
        to_seconds($width_s::integer))) as interval_at
)
left join load using (interval_at)
order by interval_at
