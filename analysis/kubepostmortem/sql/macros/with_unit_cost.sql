-- One row per row of a relation with the columns of a class, with what one such request costs.
create or replace macro with_unit_cost(relation) as table
select
    load.*,
    coalesce(costs.unit_cost_ms, 0) / 1e3 as unit_cost_s,
    coalesce(costs.overall_cost_ms, 0) / 1e3 as overall_cost_s
from query_table(relation) as load
left join unit_costs as costs
    on costs.cluster = load.cluster and costs.component = load.component
    and costs.scope = load.scope
    and costs.verb is not distinct from load.verb
    and costs.resource is not distinct from load.resource
    and costs.subresource is not distinct from load.subresource;
comment on macro table with_unit_cost is 'A relation of requests or of their rollup, by name, with what one request of the class costs, seconds: unit_cost_s, and overall_cost_s, which does not depend on the windows. 0 where nothing tells.';
