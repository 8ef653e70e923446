-- One row per operation of an administrator: a request and its immediate retries.
create or replace view admin_operations as
with operations as (
    select
        cluster, any_value(caller_group) as caller_group, any_value(identity) as identity,
        any_value(verb) as verb, any_value(resource) as resource,
        min(received_at) as begins_at, max(coalesce(requests.ended_at, received_at)) as ends_at,
        count(*) as tries,
        arg_max(requests.outcome, received_at) as last_outcome
    from admin_requests as requests
    group by cluster, operation
)
select
    * exclude (last_outcome), last_outcome as outcome,
    epoch(ends_at - begins_at) as took_s,
    outcome in ('answered', 'slow') as answered
from operations;
comment on view admin_operations is 'What administrators and members of system:masters wanted done: a request with its retries is one operation.';
comment on column admin_operations.cluster is 'Cluster.';
comment on column admin_operations.caller_group is 'admins or system:masters.';
comment on column admin_operations.identity is 'User, and whom it impersonated.';
comment on column admin_operations.verb is 'Audit verb.';
comment on column admin_operations.resource is 'Resource; null: non-resource URL.';
comment on column admin_operations.begins_at is 'When the API server received the first try, UTC.';
comment on column admin_operations.ends_at is 'When the last try was answered, UTC; where it was not, when it was received.';
comment on column admin_operations.took_s is 'From the first try to the end of the last one, seconds.';
comment on column admin_operations.tries is 'Requests.';
comment on column admin_operations.outcome is 'Outcome of the last try, as in admin_requests.';
comment on column admin_operations.answered is 'True where the last try was answered, however late.';
