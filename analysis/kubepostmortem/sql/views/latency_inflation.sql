-- One row per cluster and class of verbs: how many times longer requests took in the overload.
create or replace view latency_inflation as
with ratios as (
    select
        cluster, component, verb, resource, subresource, scope,
        max(cost_ms) filter (span = 'overload') / max(cost_ms) filter (span = 'baseline') as ratio,
        -- A cost is known as well as the root of its requests; whole numbers add up in any order.
        round(1e3 * sqrt(min(answered)))::bigint as weight
    from class_costs
    -- What a watch costs is its start, which does not wait for the objects that lists read.
    where span in ('baseline', 'overload') and cost_ms > 0 and verb is distinct from 'watch'
    group by all
    having count(*) = 2
),
pools as (
    -- Where fewer than five classes tell, those of the other verbs tell too.
    select cluster, wanted as verb_class, ratio, weight
    from ratios
    cross join (select unnest(['read', 'write']) as wanted)
    qualify verb_class(verb) = wanted
        or count(*) filter (verb_class(verb) = wanted) over (partition by cluster, wanted) < 5
),
ordered as (
    select
        *,
        sum(weight) over (partition by cluster, verb_class order by ratio, weight
            rows unbounded preceding) as up_to_here,
        sum(weight) over (partition by cluster, verb_class) as total
    from pools
)
select
    cluster, verb_class,
    greatest(1, min(ratio) filter (2 * up_to_here >= total)) as inflation,
    count(*) as classes
from ordered
group by cluster, verb_class;
comment on view latency_inflation is 'How many times longer requests took in the overload than in the baseline: weighted median over the classes of requests that were answered in both. What was never seen uncongested is costed at its latency divided by this.';
comment on column latency_inflation.cluster is 'Cluster.';
comment on column latency_inflation.verb_class is 'read or write; where fewer than five classes tell, both together.';
comment on column latency_inflation.inflation is 'Cost in the overload divided by that in the baseline, at least 1; each class weighs as the root of its requests.';
comment on column latency_inflation.classes is 'Classes of requests that tell.';
