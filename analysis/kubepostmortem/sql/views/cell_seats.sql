-- One row per cell of load: how many seats and objects one of its requests takes.
create or replace view cell_seats as
select
    cluster, component, verb, resource, subresource, scope,
    sum(requests)::bigint as requests,
    sum(requests * seats) / sum(requests) as seats,
    sum(requests * objects_read) / sum(requests) filter (objects_read is not null) as objects_read,
    bool_and(seats_known) as seats_known,
    bool_and(size_known) as size_known,
    string_agg(distinct objects_from, ', ' order by objects_from) as objects_from,
    any_value(minor_from) as minor_from
from request_seats
group by all;
comment on view cell_seats is 'Seats of API Priority and Fairness that one request occupies, and objects it goes through, on average over the requests of a component for a resource. Tells many cheap requests from few expensive ones.';
comment on column cell_seats.cluster is 'Cluster.';
comment on column cell_seats.component is 'Component.';
comment on column cell_seats.verb is 'Verb.';
comment on column cell_seats.resource is 'Resource; null: non-resource URL.';
comment on column cell_seats.subresource is 'Subresource.';
comment on column cell_seats.scope is 'Scope.';
comment on column cell_seats.requests is 'Requests in the log.';
comment on column cell_seats.seats is 'Seats per request, estimated as the API server does.';
comment on column cell_seats.objects_read is 'Objects that a request goes through, at most; null: unknown.';
comment on column cell_seats.seats_known is 'False where a number of objects is unknown that the estimate needs: 1 seat is taken there.';
comment on column cell_seats.size_known is 'False where a size of objects is unknown that the estimate needs: 4 kB each is taken there.';
comment on column cell_seats.objects_from is 'How numbers of objects are known: metric or kubectl; null: unknown or not needed.';
comment on column cell_seats.minor_from is 'How the version of the API server is known: metric, user agent or assumed.';
