-- One row per API request, whatever audit stages were logged of it.
create table if not exists requests (
    cluster varchar not null,
    apiserver varchar not null,
    audit_id varchar not null,
    received_at timestamp not null,
    started_at timestamp,
    finished_at timestamp,
    latency_ms double,
    stage varchar not null,
    stages_seen utinyint not null,
    level varchar,
    verb varchar,
    api_group varchar,
    api_version varchar,
    resource varchar,
    subresource varchar,
    namespace varchar,
    name varchar,
    scope varchar not null,
    uri_path varchar,
    page_limit bigint,
    continues boolean not null,
    resource_version varchar,
    resource_version_match varchar,
    field_selector varchar,
    label_selector varchar,
    watch boolean not null,
    send_initial_events boolean not null,
    dry_run boolean not null,
    username varchar,
    user_groups varchar[],
    impersonated_user varchar,
    user_agent varchar,
    client_name varchar,
    client_version varchar,
    component varchar not null,
    kind varchar not null,
    controller varchar,
    workload varchar,
    pod varchar,
    node varchar,
    node_from varchar,
    source_ip varchar,
    source_ips varchar[],
    code integer,
    truncated boolean not null,
    decision varchar,
    total_ms double,
    apf_queue_wait_ms double,
    etcd_ms double,
    authentication_ms double,
    authorization_ms double,
    impersonation_ms double,
    decode_ms double,
    mutating_webhook_ms double,
    validating_webhook_ms double,
    transform_ms double,
    serialize_ms double,
    response_write_ms double,
    ingest_id integer not null
);
comment on table requests is 'One row per API request, from audit events; key: cluster, audit_id, received_at (an aggregated API server logs a request again under its own time). Times are UTC. A request without finished_at was still open when the log ended.';
comment on column requests.cluster is 'Cluster, as named at ingest.';
comment on column requests.apiserver is 'API server instance that wrote the log, where the path or the log tells; else empty.';
comment on column requests.audit_id is 'Audit-ID of the request: whatever the client sent, else a UUID. Not unique by itself.';
comment on column requests.received_at is 'When the API server received the request, UTC (requestReceivedTimestamp).';
comment on column requests.started_at is 'When a long-running response began, UTC (stage ResponseStarted).';
comment on column requests.finished_at is 'When the response was complete, UTC (stage ResponseComplete or Panic); null: still open at the end of the log.';
comment on column requests.latency_ms is 'finished_at - received_at in milliseconds. For a watch this is its lifetime, not a latency.';
comment on column requests.stage is 'Last audit stage seen: RequestReceived, ResponseStarted, ResponseComplete or Panic.';
comment on column requests.stages_seen is 'Audit stages seen, as bits: 1 RequestReceived, 2 ResponseStarted, 4 ResponseComplete, 8 Panic.';
comment on column requests.level is 'Audit level of the event: Metadata, Request or RequestResponse.';
comment on column requests.verb is 'Audit verb: get, list, watch, create, update, patch, delete, deletecollection; HTTP method in lower case for non-resource URLs.';
comment on column requests.api_group is 'API group of the resource; empty for the core group, null for non-resource URLs.';
comment on column requests.api_version is 'API version of the resource, without the group.';
comment on column requests.resource is 'Resource, plural (pods, leases); null for non-resource URLs.';
comment on column requests.subresource is 'Subresource (status, log, token, ...).';
comment on column requests.namespace is 'Namespace of the resource; null for cluster-wide requests.';
comment on column requests.name is 'Name of the object; null for lists and most creates.';
comment on column requests.scope is 'What the URL covers: object, namespace, cluster, or nonresource.';
comment on column requests.uri_path is 'Request path without its query.';
comment on column requests.page_limit is 'Query parameter limit: page size asked for; null: not given.';
comment on column requests.continues is 'True where the request asks for a further page (query parameter continue).';
comment on column requests.resource_version is 'Query parameter resourceVersion; null: not given (most recent), 0: any version from the cache.';
comment on column requests.resource_version_match is 'Query parameter resourceVersionMatch.';
comment on column requests.field_selector is 'Query parameter fieldSelector, decoded.';
comment on column requests.label_selector is 'Query parameter labelSelector, decoded.';
comment on column requests.watch is 'True where the query asks for a watch.';
comment on column requests.send_initial_events is 'True where a watch asks to be sent the whole collection first (sendInitialEvents, a streaming list).';
comment on column requests.dry_run is 'True where a write asks to change nothing (dryRun=All).';
comment on column requests.username is 'Authenticated user.';
comment on column requests.user_groups is 'Groups of the authenticated user.';
comment on column requests.impersonated_user is 'User that the caller acted as, where it impersonated one.';
comment on column requests.user_agent is 'User-Agent header. Sent by the client, so anybody can write anything into it.';
comment on column requests.client_name is 'Client program named in the user agent.';
comment on column requests.client_version is 'Client version named in the user agent; null where it says nothing (v0.0.0).';
comment on column requests.component is 'Who called: from user agent and identity, by the rules of components.toml.';
comment on column requests.kind is 'Kind of the component: node-agent, dns, controller, telemetry, human, ...';
comment on column requests.controller is 'Controller inside the component, where the client names one (kube-controller-manager does).';
comment on column requests.workload is 'Owner of the calling pod as namespace/name, inferred from the pod name.';
comment on column requests.pod is 'Calling pod, from its bound service account token.';
comment on column requests.node is 'Node that the call came from.';
comment on column requests.node_from is 'How the node is known: token (bound service account token), identity (system:node user) or source-ip (address of exactly one kubelet).';
comment on column requests.source_ip is 'Last source address: the peer that the API server saw, the only one it vouches for.';
comment on column requests.source_ips is 'Source addresses as logged: X-Forwarded-For first, peer last.';
comment on column requests.code is 'HTTP status of the response; null while open.';
comment on column requests.truncated is 'True where the API server cut bodies out of the event, which was too large for its sink.';
comment on column requests.decision is 'Authorization decision: allow or forbid.';
comment on column requests.total_ms is 'Latency annotation total, milliseconds. All latency annotations exist only on requests slower than 500 ms.';
comment on column requests.apf_queue_wait_ms is 'Latency annotation apf-queue-wait: time queued by API Priority and Fairness, milliseconds.';
comment on column requests.etcd_ms is 'Latency annotation etcd: time spent in storage calls, milliseconds.';
comment on column requests.authentication_ms is 'Latency annotation authentication, milliseconds.';
comment on column requests.authorization_ms is 'Latency annotation authorization, milliseconds.';
comment on column requests.impersonation_ms is 'Latency annotation impersonation, milliseconds.';
comment on column requests.decode_ms is 'Latency annotation decode-response-object or decode, milliseconds.';
comment on column requests.mutating_webhook_ms is 'Latency annotation mutating-webhook, milliseconds.';
comment on column requests.validating_webhook_ms is 'Latency annotation validating-webhook, milliseconds.';
comment on column requests.transform_ms is 'Latency annotation transform-response-object, milliseconds.';
comment on column requests.serialize_ms is 'Latency annotation serialize-response-object, milliseconds.';
comment on column requests.response_write_ms is 'Latency annotation response-write, milliseconds.';
comment on column requests.ingest_id is 'File that the row was read from: ingests.ingest_id.';
