-- One row per bin and cell of load: what attribution reads.
create or replace view load_in_bins as
select
    first_bin + floor(epoch(interval_at - begins_at) / bin_s)::bigint as bin,
    load.component, kind, load.verb, load.resource, load.subresource, load.scope,
    sum(load.requests) as requests,
    sum(throttled) as throttled,
    sum(failed) as failed,
    sum(new_node_requests) as new_node_requests,
    sum(request_s) as request_s,
    unit_cost_s,
    coalesce(seats, 1)::double as seats
from load_series as load
join comparison as span
    on span.cluster = load.cluster and interval_at >= begins_at and interval_at < ends_at
left join cell_seats as cells
    on cells.cluster = load.cluster and cells.component = load.component
    and cells.scope = load.scope
    and cells.verb is not distinct from load.verb
    and cells.resource is not distinct from load.resource
    and cells.subresource is not distinct from load.subresource
group by all
order by all;
comment on view load_in_bins is 'Load per bin of the comparison (see comparison_bins), component, verb, resource and scope; bins without requests have no row.';
comment on column load_in_bins.bin is 'Number of the bin, over all clusters.';
comment on column load_in_bins.component is 'Component.';
comment on column load_in_bins.kind is 'Kind of the component.';
comment on column load_in_bins.verb is 'Verb.';
comment on column load_in_bins.resource is 'Resource; null: non-resource URL.';
comment on column load_in_bins.subresource is 'Subresource.';
comment on column load_in_bins.scope is 'Scope.';
comment on column load_in_bins.requests is 'Requests received.';
comment on column load_in_bins.throttled is 'Of them, answered 429.';
comment on column load_in_bins.failed is 'Of them, answered 5xx.';
comment on column load_in_bins.new_node_requests is 'Of them, from nodes that joined after the baseline, without those answered 429.';
comment on column load_in_bins.request_s is 'Seconds that the requests took, summed; watches and other streams count none.';
comment on column load_in_bins.unit_cost_s is 'What one request costs an uncongested API server, seconds (unit_costs).';
comment on column load_in_bins.seats is 'Seats that one request takes by the estimate of API Priority and Fairness (cell_seats); 1 where it is not known.';
