-- One row per component and verb: when it called first, and first in the overload.
create or replace view callers_first_seen as
select
    requests.cluster, component, requests.kind, verb,
    min(received_at) as first_at,
    min(received_at) filter (received_at >= begins_at) as first_in_overload_at,
    count(*) filter (received_at < begins_at) as requests_before
from requests
left join incident
    on incident.cluster = requests.cluster and time_window = 'overload'
group by all;
comment on view callers_first_seen is 'When each component first used each verb: newcomers have no requests before the overload.';
comment on column callers_first_seen.cluster is 'Cluster.';
comment on column callers_first_seen.component is 'Component.';
comment on column callers_first_seen.kind is 'Kind of the component.';
comment on column callers_first_seen.verb is 'Verb.';
comment on column callers_first_seen.first_at is 'First request in the evidence, UTC.';
comment on column callers_first_seen.first_in_overload_at is 'First request at or after the overload''s beginning, UTC.';
comment on column callers_first_seen.requests_before is 'Requests before the overload.';
