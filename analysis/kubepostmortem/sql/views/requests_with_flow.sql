-- One row per request, with the priority level, flow schema and seats that the API server's log tells.
create or replace view requests_with_flow as
with flows as (
    select
        cluster, audit_id, logged_at - to_microseconds((latency_ms * 1e3)::bigint) as arrived_at,
        logged_at, priority_level, flow_schema, initial_seats, final_seats,
        additional_latency_ms, queue_wait_ms, execution_ms
    from http_log
    where audit_id is not null and latency_ms is not null
),
-- The log cuts an Audit-ID at 64 characters, and clients may send the same one again and again: of
-- several lines take the nearest in time. Two sorted passes, since all pairs may be very many.
met as (
    select
        requests.*,
        coalesce(
            received_at - before.arrived_at <= after.arrived_at - received_at,
            before.arrived_at is not null) as is_before,
        before, after
    from requests
    asof left join flows as before
        on before.cluster = requests.cluster and before.audit_id = requests.audit_id[:64]
        and before.arrived_at <= requests.received_at
    asof left join flows as after
        on after.cluster = requests.cluster and after.audit_id = requests.audit_id[:64]
        and after.arrived_at > requests.received_at
)
select
    * exclude (is_before, before, after),
    if(is_before, before, after).logged_at as logged_at,
    if(is_before, before, after).priority_level as priority_level,
    if(is_before, before, after).flow_schema as flow_schema,
    if(is_before, before, after).initial_seats as initial_seats,
    if(is_before, before, after).final_seats as final_seats,
    if(is_before, before, after).additional_latency_ms as additional_latency_ms,
    if(is_before, before, after).queue_wait_ms as queue_wait_ms,
    if(is_before, before, after).execution_ms as execution_ms
from met;
comment on view requests_with_flow is 'requests, with the priority level, flow schema and seats from the line of http_log that has their Audit-ID and is nearest in time.';
comment on column requests_with_flow.logged_at is 'When the API server logged the request, UTC; null: http_log has no line of it.';
comment on column requests_with_flow.priority_level is 'Priority level that the request was classified to.';
comment on column requests_with_flow.flow_schema is 'Flow schema that classified the request.';
comment on column requests_with_flow.initial_seats is 'Seats that the request was estimated to occupy while it runs.';
comment on column requests_with_flow.final_seats is 'Seats that it was estimated to occupy after it ran.';
comment on column requests_with_flow.additional_latency_ms is 'How long the final seats stay occupied, milliseconds.';
comment on column requests_with_flow.queue_wait_ms is 'Time queued by API Priority and Fairness, milliseconds.';
comment on column requests_with_flow.execution_ms is 'Time of execution, milliseconds.';
