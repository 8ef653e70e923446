-- One row per second and API server in which audit events were logged.
create or replace view audit_seconds as
with stamps as (
    -- Only stages that were logged: when a request was received is known from its end, too.
    select cluster, apiserver, date_trunc('second', received_at) as second_at, count(*) as events,
        0 as ended
    from requests
    where stages_seen & 1 > 0
    group by all
    union all
    select cluster, apiserver, date_trunc('second', started_at), count(*), 0
    from requests
    where started_at is not null
    group by all
    union all
    select cluster, apiserver, date_trunc('second', finished_at), count(*), count(*)
    from requests
    where finished_at is not null
    group by all
)
select cluster, apiserver, second_at, sum(events)::bigint as events, sum(ended)::bigint as ended
from stamps
group by all
order by cluster, apiserver, second_at;
comment on view audit_seconds is 'Audit events per second of every API server, seconds without any left out.';
comment on column audit_seconds.cluster is 'Cluster.';
comment on column audit_seconds.apiserver is 'API server that wrote the log; empty where neither path nor log tells.';
comment on column audit_seconds.second_at is 'Beginning of the second, UTC, by the time of the stage.';
comment on column audit_seconds.events is 'Events of all stages.';
comment on column audit_seconds.ended is 'Requests that ended in it.';
