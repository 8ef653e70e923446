-- The requests of a piece of a log that are new, with numbers and durations as such.
insert into http_log by name
select
    $cluster as cluster, logged_at, audit_id, verb, uri,
    go_duration_ms(latency) as latency_ms,
    user_agent, source_ip,
    try_cast(code as integer) as code,
    priority_level, flow_schema,
    try_cast(initial_seats as integer) as initial_seats,
    try_cast(final_seats as integer) as final_seats,
    go_duration_ms(additional_latency) as additional_latency_ms,
    go_duration_ms(queue_wait) as queue_wait_ms,
    go_duration_ms(execution) as execution_ms,
    $ingest_id::integer as ingest_id
from (
    from http_lines
    qualify row_number() over (partition by audit_id, logged_at, verb, uri order by line) = 1
) as fresh
anti join (
    select audit_id, logged_at, verb, uri from http_log
    where cluster = $cluster
        and logged_at between (select min(logged_at) from http_lines)
            and (select max(logged_at) from http_lines)
) as known
    on fresh.audit_id is not distinct from known.audit_id and fresh.logged_at = known.logged_at
    and fresh.verb = known.verb and fresh.uri = known.uri
