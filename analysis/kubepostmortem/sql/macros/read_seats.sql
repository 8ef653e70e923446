-- Seats that a request occupies while it runs.
create or replace macro read_seats(
    verb, page_limit, continues, resource_version, resource_version_match, selects, named,
    send_initial_events, objects, object_bytes, stale,
    minor, by_size, watch_lists, consistent_lists, max_seats
) as
case
    when not is_estimated_as_list(
        verb, resource_version, send_initial_events, minor, watch_lists) then 1
    when stale and minor < 34 then if(named, 1, max_seats)
    else list_seats(
        page_limit,
        is_served_from_cache(verb, page_limit, continues, resource_version,
            resource_version_match, minor, consistent_lists),
        selects, named,
        if(stale, 1_000_000_000, objects), if(stale, 1_500_000, object_bytes),
        by_size, max_seats)
end;
comment on macro read_seats is 'Seats that the API server estimates for a request while it runs (initial seats): of lists, and of watches that start with one, by the objects they go through; else 1. stale: the count of objects is older than three minutes. The rules by release are in view seat_rules.';
