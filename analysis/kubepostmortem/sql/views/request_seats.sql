-- One row per cell of load and way of asking: how many seats one such request occupies.
create or replace view request_seats as
with asked as (
    select
        cluster, component, verb, api_group, resource, subresource, scope,
        page_limit, continues,
        -- Which version is asked for does not matter, whether it is one does.
        if(resource_version = '0', '0', if(resource_version is null, null, '1'))
            as resource_version,
        resource_version_match,
        field_selector is not null or label_selector is not null as selects,
        names_one_object(field_selector) as named,
        send_initial_events,
        count(*) as requests
    from requests
    group by all
),
known as (
    select
        asked.*, rules.* exclude (cluster), objects, objects_from,
        -- Pods, nodes and endpoints are of 2 to 10 kB.
        coalesce(object_bytes, 4000) as object_bytes,
        object_bytes is not null as size_known,
        coalesce(watchers, 0) as watchers,
        is_estimated_as_list(verb, resource_version, send_initial_events, minor, watch_lists)
            as is_list,
        is_served_from_cache(verb, page_limit, continues, resource_version,
            resource_version_match, minor, consistent_lists) as from_cache
    from asked
    join seat_rules as rules using (cluster)
    left join stored_objects as stored
        on stored.cluster = asked.cluster
        and stored.resource = concat_ws('.', asked.resource, nullif(asked.api_group, ''))
    left join watchers
        on watchers.cluster = asked.cluster
        and watchers.resource = concat_ws('.', asked.resource, nullif(asked.api_group, ''))
)
select
    cluster, component, verb, api_group, resource, subresource, scope,
    page_limit, continues, resource_version, resource_version_match, selects, named,
    send_initial_events, requests,
    case
        -- Streams other than watches pass by API Priority and Fairness.
        when verb <> 'watch' and is_long_running(verb, subresource) then 0
        else read_seats(verb, page_limit, continues, resource_version, resource_version_match,
            selects, named, send_initial_events, objects, object_bytes, false,
            minor, by_size, watch_lists, consistent_lists, max_list_seats)
    end as initial_seats,
    write_seats(verb, resource, subresource, watchers, max_write_seats) as final_seats,
    write_linger_ns(watchers, final_seats) / 1e6 as linger_ms,
    greatest(initial_seats, final_seats) as seats,
    case
        when resource is null or verb = 'watch' and not is_list then 0
        when verb = 'deletecollection' then null
        when not is_list or named then 1
        when from_cache or selects then objects
        else objects_in_page(objects, page_limit)
    end as objects_read,
    not is_list or objects is not null as seats_known,
    not is_list or not by_size or size_known as size_known,
    if(is_list, objects_from, null) as objects_from,
    minor_from
from known;
comment on view request_seats is 'Seats of API Priority and Fairness that one request occupies, estimated as the API server does from what the request asks for, the number of stored objects and the watches to tell.';
comment on column request_seats.cluster is 'Cluster.';
comment on column request_seats.component is 'Component.';
comment on column request_seats.verb is 'Verb.';
comment on column request_seats.api_group is 'API group.';
comment on column request_seats.resource is 'Resource; null: non-resource URL.';
comment on column request_seats.subresource is 'Subresource.';
comment on column request_seats.scope is 'Scope.';
comment on column request_seats.page_limit is 'Page size asked for.';
comment on column request_seats.continues is 'True where a further page is asked for.';
comment on column request_seats.resource_version is 'Resource version asked for: null: none, 0: any, 1: a certain one.';
comment on column request_seats.resource_version_match is 'Query parameter resourceVersionMatch.';
comment on column request_seats.selects is 'True where there is a field or label selector.';
comment on column request_seats.named is 'True where the field selector names one object.';
comment on column request_seats.send_initial_events is 'True where a watch asks for the whole collection first.';
comment on column request_seats.requests is 'Requests of this kind in the log.';
comment on column request_seats.initial_seats is 'Seats while it runs; 0: not subject to API Priority and Fairness.';
comment on column request_seats.final_seats is 'Seats after it ran, while watches are told of a write.';
comment on column request_seats.linger_ms is 'How long the final seats stay occupied, milliseconds.';
comment on column request_seats.seats is 'Seats that the request occupies: the larger of the two.';
comment on column request_seats.objects_read is 'Objects that the request goes through, at most; null: unknown.';
comment on column request_seats.seats_known is 'False where the estimate rests on a number of objects that is unknown: 1 seat is taken.';
comment on column request_seats.size_known is 'False where it rests on a size of objects that is unknown: 4 kB each is taken.';
comment on column request_seats.objects_from is 'How the number of objects is known: metric or kubectl; null: unknown or not needed.';
comment on column request_seats.minor_from is 'How the version of the API server is known: metric, user agent or assumed.';
