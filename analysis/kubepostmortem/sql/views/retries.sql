-- One row per retry: a request that repeats one which the same client had not got answered.
create or replace view retries as
with keyed as not materialized (
    select
        cluster, received_at, audit_id, component, kind, verb, resource, uri_path,
        username, pod, source_ip, node, finished_at, code,
        -- What a client asks again and again, as a number: comparing texts is slow.
        hash(cluster, component, username, coalesce(pod, source_ip), verb, uri_path,
            field_selector, label_selector) as call
    from requests
),
-- Most calls never fail, and what never fails is never retried.
failing as (
    select distinct call from keyed where code = 429 or code >= 500
),
repeats as (
    select
        keyed.*,
        lag(received_at) over earlier as received_before_at,
        lag(finished_at) over earlier as ended_before_at,
        lag(code) over earlier as code_before,
        lag(audit_id) over earlier as audit_id_before
    from keyed
    semi join failing using (call)
    window earlier as (partition by call order by received_at, finished_at)
),
paces as (
    select
        cluster, component, verb, resource,
        median(epoch(received_at - received_before_at)) as interval_s
    from repeats
    where code_before < 400
    group by all
)
select
    repeats.cluster, received_at, audit_id, repeats.component, kind, repeats.verb,
    repeats.resource, uri_path, username, pod, source_ip, node,
    if(pod is null, 'address', 'pod') as client_known_by,
    code, code_before, audit_id_before,
    greatest(epoch(received_at - ended_before_at), 0) as pause_s,
    -- The answer leaves a little before its event is stamped. A client that gave up never saw it.
    case when code_before = 429 and ended_before_at <= received_at then pause_s >= 0.95 end
        as obeyed,
    coalesce(pause_s between 0.75 * interval_s and 1.5 * interval_s, false) as at_usual_pace
from repeats
left join paces
    on paces.cluster = repeats.cluster and paces.component = repeats.component
    and paces.verb is not distinct from repeats.verb
    and paces.resource is not distinct from repeats.resource
where (code_before = 429 or code_before >= 500)
    -- Two that overlap are calls side by side, unless the client can have given up on the first.
    and (ended_before_at <= received_at or received_at - received_before_at >= interval 1 second)
    -- Later ones are new calls: Retry-After is 32 s at most, client-go backs off for 60 s at most.
    and pause_s <= 60;
comment on view retries is 'Requests that repeat one that ended with 429 or 5xx (504: time-out; a client that gives up is logged as 500) within a minute: same cluster, component, client, verb, path and selectors.';
comment on column retries.client_known_by is 'What tells the client from others of its user: pod (bound token), which holds behind proxies too; where the log names none, address.';
comment on column retries.code_before is 'Answer to the request before.';
comment on column retries.audit_id_before is 'Audit-ID of the request before.';
comment on column retries.pause_s is 'From the end of the request before to the retry, seconds; 0 where the client gave up before the end.';
comment on column retries.obeyed is 'After a 429: true where it waited 1 s, the least Retry-After that an API server sends (from 1.28 on a crowded priority level asks for up to 32 s, which audit logs do not tell). Null after other answers, and where the client gave up before.';
comment on column retries.at_usual_pace is 'True where it came about as late as such calls follow one another when they are answered: it may be the next round of a client that polls.';
