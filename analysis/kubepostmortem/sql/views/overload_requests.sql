-- One row per request of an overload window.
create or replace view overload_requests as
select requests.*, begins_at, ends_at
from requests
join incident
    on incident.cluster = requests.cluster
    and received_at >= begins_at and received_at < ends_at
where time_window = 'overload';
comment on view overload_requests is 'Requests that an API server received in the overload window of its cluster.';
comment on column overload_requests.begins_at is 'Beginning of the overload window, UTC.';
comment on column overload_requests.ends_at is 'End of the overload window, UTC.';
