-- One row per request that the API server's own log shows (klog "HTTP" lines, from -v=3 on).
create table if not exists http_log (
    cluster varchar not null,
    logged_at timestamp not null,
    audit_id varchar,
    verb varchar not null,
    uri varchar not null,
    latency_ms double,
    user_agent varchar,
    source_ip varchar,
    code integer,
    priority_level varchar,
    flow_schema varchar,
    initial_seats integer,
    final_seats integer,
    additional_latency_ms double,
    queue_wait_ms double,
    execution_ms double,
    ingest_id integer not null
);
comment on table http_log is 'One row per request in the log of the API server: the only record of the priority level, flow schema and seats of a single request. View requests_with_flow joins them to the audit log.';
comment on column http_log.cluster is 'Cluster, as named at ingest.';
comment on column http_log.logged_at is 'When the request was done and logged, UTC. klog writes neither year nor zone: the notes of the file say what was taken.';
comment on column http_log.audit_id is 'Audit-ID of the request, at most its first 64 characters; null: the log has none (before Kubernetes 1.21). Not unique by itself.';
comment on column http_log.verb is 'Verb as metrics spell it: GET, LIST, WATCH, POST, PUT, PATCH, APPLY, DELETE, ...';
comment on column http_log.uri is 'Request URI with its query.';
comment on column http_log.latency_ms is 'From the arrival of the request to its log line, milliseconds. For a watch this is its lifetime.';
comment on column http_log.user_agent is 'User-Agent header.';
comment on column http_log.source_ip is 'Address of the peer, without its port.';
comment on column http_log.code is 'HTTP status; null where the connection was taken over (exec, port-forward).';
comment on column http_log.priority_level is 'Priority level that the request was classified to (apf_pl); null: not classified.';
comment on column http_log.flow_schema is 'Flow schema that classified the request (apf_fs).';
comment on column http_log.initial_seats is 'Seats that the request was estimated to occupy while it runs (apf_iseats).';
comment on column http_log.final_seats is 'Seats that it was estimated to occupy after it ran, as writes that watches must be told do (apf_fseats).';
comment on column http_log.additional_latency_ms is 'How long the final seats stay occupied, milliseconds (apf_additionalLatency).';
comment on column http_log.queue_wait_ms is 'Time until execution began, queued by API Priority and Fairness, milliseconds (apf_init_latency).';
comment on column http_log.execution_ms is 'Time of execution, milliseconds (apf_execution_time); null: never executed.';
comment on column http_log.ingest_id is 'File that the row was read from: ingests.ingest_id.';
