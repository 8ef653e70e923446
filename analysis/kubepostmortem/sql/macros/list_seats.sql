-- Seats that the API server estimates for a list, or for a watch that starts with one.
create or replace macro list_seats(
    page_limit, from_cache, selects, named, objects, object_bytes, by_size, max_seats
) as
greatest(1, least(max_seats, ceil(case
    -- Refused later on, and estimated as the most expensive until then.
    when page_limit is not null and try_cast(page_limit as bigint) is null then max_seats
    when objects is null then 1
    when by_size then listed_bytes(
        if(named, 1, objects_weighed(objects, page_limit, from_cache, selects, by_size)),
        objects, object_bytes, from_cache) / 100_000
    when named then 1
    else objects_weighed(objects, page_limit, from_cache, selects, by_size) / 100
end)))::integer;
comment on macro list_seats is 'Seats that the API server estimates for a list: one for each 100 objects or, by_size, 100 kB that it goes through. objects: stored objects of the resource, null where the server counts none. object_bytes: their average size; 0 or null: unknown to the server. named: the field selector names one object. max_seats: most seats that a list may have.';
