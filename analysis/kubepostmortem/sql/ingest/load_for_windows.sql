-- One row per interval of a cluster, empty ones too: the load that windows are found from.
with load as (
    select
        time_bucket(to_seconds(interval_s), received_at) as interval_at,
        -- Costs of the whole log: windows must not depend on windows found before.
        sum(coalesce(overall_cost_ms, 0)) / 1e3 as demand_s,
        count(*) as requests
    from requests
    join intervals using (cluster)
    left join unit_costs as costs
        on costs.cluster = requests.cluster and costs.component = requests.component
        and costs.verb = requests.verb and costs.scope = requests.scope
        and costs.resource is not distinct from requests.resource
        and costs.subresource is not distinct from requests.subresource
    where requests.cluster = $cluster
    group by all
)
select
    interval_at,
    interval_s,
    coalesce(demand_s, 0)::double as demand_s,
    coalesce(requests, 0)::double as requests
from (
    select interval_s, unnest(range(
        time_bucket(to_seconds(interval_s), begins_at),
        ends_at + to_microseconds(1),
        to_seconds(interval_s))) as interval_at
    from intervals
    where cluster = $cluster
)
left join load using (interval_at)
order by interval_at
