-- One row per interval of a span of a cluster, empty ones too: the load that windows are found from.
with load as (
    select
        time_bucket(to_seconds($width_s::integer), load.interval_at) as interval_at,
        -- Costs of the whole log: windows must not depend on windows found before.
        sum(requests * overall_cost_s) as demand_s,
        sum(requests) as requests
    from with_unit_cost('load_rollup') as load
    where load.cluster = $cluster
        and load.interval_at >= time_bucket(to_seconds($width_s::integer), $begins_at::timestamp)
        and load.interval_at <= $ends_at::timestamp
    group by all
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
