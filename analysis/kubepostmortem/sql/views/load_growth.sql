-- Who grew: the change in load from baseline to overload, and its share of all growth.
create or replace view load_growth as
select
    * exclude (cluster),
    cluster,
    overload_rps - baseline_rps as growth_rps,
    growth_rps / nullif(sum(growth_rps) over (), 0) as share_of_requests,
    overload_demand - baseline_demand as growth_demand,
    growth_demand / nullif(sum(growth_demand) over (), 0) as share_of_demand
from load_by_window
order by growth_demand desc, component, verb, resource, subresource, scope, cluster;
comment on view load_growth is 'load_by_window with the growth of each cell and its share of the total growth; shares sum to 1. Largest growth of demand first.';
comment on column load_growth.growth_rps is 'Growth in requests per second.';
comment on column load_growth.share_of_requests is 'Its part of the total growth in requests per second.';
comment on column load_growth.growth_demand is 'Growth in demand: seconds of uncongested API server time per second.';
comment on column load_growth.share_of_demand is 'Its part of the total growth in demand.';
