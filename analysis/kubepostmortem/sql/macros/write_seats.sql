-- Seats that a write occupies after it ran, while watches are told of it.
create or replace macro write_seats(verb, resource, subresource, watchers, max_seats) as
case
    when verb not in ('create', 'update', 'patch', 'delete') or watchers < 10 then 0
    when resource = 'serviceaccounts' and coalesce(subresource, '') = 'token' then 0
    else least(max_seats, ceil(watchers / 10))
end::integer;
comment on macro write_seats is 'Seats that the API server estimates for a write after it ran (final seats): one for each 10 matching watches, from 10 watches on.';
