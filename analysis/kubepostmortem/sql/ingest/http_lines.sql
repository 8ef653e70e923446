-- One row per HTTP line of a piece of an API server's log, its values as the line has them.
create or replace temp table http_lines (
    line bigint,
    logged_at timestamp,
    verb varchar,
    uri varchar,
    latency varchar,
    user_agent varchar,
    audit_id varchar,
    source_ip varchar,
    priority_level varchar,
    flow_schema varchar,
    initial_seats varchar,
    final_seats varchar,
    additional_latency varchar,
    queue_wait varchar,
    execution varchar,
    code varchar
)
