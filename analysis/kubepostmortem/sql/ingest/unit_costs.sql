-- The cost that each class of requests is counted at, from what its requests took.
insert into unit_costs by name
with measured as (
    select
        cluster, component, verb, resource, subresource, scope,
        verb_class(verb) as verb_class,
        coalesce(max(answered) filter (span = 'log'), 0) as answered,
        max(cost_ms) filter (span = 'log') as overall_cost_ms,
        max(cost_ms) filter (span = 'baseline') as quiet_cost_ms,
        max(cost_ms) filter (span = 'overload') as overload_cost_ms
    from class_costs
    where cluster = $cluster
    group by all
),
own as (
    select
        measured.*,
        -- A newcomer of the overload was never seen uncongested.
        coalesce(quiet_cost_ms, least(overall_cost_ms, overload_cost_ms / coalesce(inflation, 1)))
            as own_cost_ms
    from measured
    left join latency_inflation using (cluster, verb_class)
)
select
    * exclude (verb_class, own_cost_ms),
    -- A class that was never answered has no cost of its own: take what others paid for the like.
    coalesce(own_cost_ms, median(own_cost_ms) over (partition by verb, resource, subresource, scope))
        as unit_cost_ms
from own
