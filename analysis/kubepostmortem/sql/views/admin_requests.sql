-- One row per request of an administrator, or of a person or program in system:masters.
create or replace view admin_requests as
with admins as (
    select
        cluster, received_at, finished_at, latency_ms, audit_id, username, user_groups,
        impersonated_user, component, client_name, source_ip, verb, api_group, resource,
        subresource, namespace, name, uri_path, code, started_at,
        is_long_running(verb, subresource) as long_running,
        -- Who impersonates another acts with the groups of that one, which the log does not hold.
        caller_group(username, if(impersonated_user is null, user_groups, []), component, kind,
            verb, resource, subresource) as caller_group,
        username || if(impersonated_user is null, '', ' as ' || impersonated_user) as identity,
        -- What a client asks again and again, as a number: comparing texts is slow.
        hash(cluster, username, impersonated_user, client_name, coalesce(pod, source_ip), verb,
            uri_path, field_selector, label_selector) as call,
        case
            when outcome_of(code, started_at) = 'answered' and latency_ms > 10_000
                and not long_running then 'slow'
            else outcome_of(code, started_at)
        end as outcome,
        -- A watch is answered when it begins.
        if(long_running and outcome = 'answered', coalesce(started_at, received_at), finished_at)
            as ended_at
    from requests
    where kind = 'human' or list_contains(user_groups, 'system:masters')
),
tries as (
    select
        *,
        lag(outcome) over earlier in ('refused', 'failed')
        and (lag(ended_at) over earlier <= received_at
            or received_at - lag(received_at) over earlier >= interval 1 second)
        -- client-go obeys Retry-After, 1 s as a rule, and adds time of its own. What comes later is
        -- a person (or a script) who tries anew: two operations, and the first one failed.
        and received_at - lag(ended_at) over earlier <= interval 4 second as repeats
    from admins
    where caller_group in ('admins', 'system:masters')
    window earlier as (partition by call order by received_at, finished_at, audit_id)
)
select
    * exclude (call, repeats, started_at, long_running),
    hash(call, count(*) filter (repeats is distinct from true) over earlier) as operation
from tries
window earlier as (partition by call order by received_at, finished_at, audit_id);
comment on view admin_requests is 'Requests of administrators and of members of system:masters, what became of each, and which of them are tries of one operation.';
comment on column admin_requests.caller_group is 'admins or system:masters, of the macro caller_group; a member of system:masters that impersonates another user is one of the admins, since it acts with the groups of that user.';
comment on column admin_requests.identity is 'User, and whom it impersonated: alice as system:admin.';
comment on column admin_requests.outcome is 'answered (any status but 429 and 5xx), slow (answered after more than 10 s), refused (429), failed (5xx: also what the log says of a client that gave up), or open (no answer when the log ended).';
comment on column admin_requests.ended_at is 'When the answer was complete, UTC; of a watch or another stream, when it began.';
comment on column admin_requests.operation is 'The same number for the tries of one operation: same client, path and selectors, each at most 4 s after a refusal or failure.';
