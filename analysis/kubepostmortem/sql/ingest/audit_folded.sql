-- One row per request that is new, or that ends what was open, from the event of its last stage.
create or replace temp macro audit_folded(of_cluster, ended_ones, open_ones) as table
select
    of_cluster as cluster,
    events.apiserver,
    events.audit_id,
    events.received_at,
    coalesce(arrivals.started_at, known.started_at) as started_at,
    case when stage_rank(events.stage) >= 3 then events.stage_at end as finished_at,
    case when stage_rank(events.stage) >= 3 and events.timed
        then (epoch_us(events.stage_at) - epoch_us(events.received_at)) / 1e3 end as latency_ms,
    events.stage,
    arrivals.stages_seen | coalesce(known.stages_seen, 0) as stages_seen,
    events.level,
    events.verb,
    case when events.resource is not null then coalesce(events.api_group, '') end as api_group,
    events.api_version,
    events.resource,
    events.subresource,
    events.namespace,
    events.name,
    case
        when events.resource is null then 'nonresource'
        when events.name is not null then 'object'
        when events.namespace is not null then 'namespace'
        else 'cluster'
    end as scope,
    split_part(events.uri, '?', 1) as uri_path,
    try_cast(query_parameter(events.query, 'limit') as bigint) as page_limit,
    query_parameter(events.query, 'continue') is not null as continues,
    query_parameter(events.query, 'resourceVersion') as resource_version,
    query_parameter(events.query, 'resourceVersionMatch') as resource_version_match,
    query_parameter(events.query, 'fieldSelector') as field_selector,
    query_parameter(events.query, 'labelSelector') as label_selector,
    coalesce(lower(query_parameter(events.query, 'watch')) in ('true', '1'), false) as watch,
    coalesce(lower(query_parameter(events.query, 'sendInitialEvents')) in ('true', '1'), false)
        as send_initial_events,
    query_parameter(events.query, 'dryRun') is not null as dry_run,
    events.username,
    events.user_groups,
    events.impersonated_user,
    events.user_agent,
    callers.client_name,
    callers.client_version,
    callers.component,
    callers.kind,
    callers.controller,
    case when events.pod is not null
        then concat_ws('/', nullif(split_part(events.username, ':', 3), ''), pods.workload)
    end as workload,
    events.pod,
    coalesce(events.token_node, node_of_identity(events.username), addresses.node) as node,
    case
        when events.token_node is not null then 'token'
        when node_of_identity(events.username) is not null then 'identity'
        when addresses.node is not null then 'source-ip'
    end as node_from,
    events.source_ips[-1] as source_ip,
    events.source_ips,
    events.code,
    events.truncated,
    annotations."authorization.k8s.io/decision" as decision,
    go_duration_ms(annotations."apiserver.latency.k8s.io/total") as total_ms,
    go_duration_ms(annotations."apiserver.latency.k8s.io/apf-queue-wait") as apf_queue_wait_ms,
    go_duration_ms(annotations."apiserver.latency.k8s.io/etcd") as etcd_ms,
    go_duration_ms(annotations."apiserver.latency.k8s.io/authentication") as authentication_ms,
    go_duration_ms(annotations."apiserver.latency.k8s.io/authorization") as authorization_ms,
    go_duration_ms(annotations."apiserver.latency.k8s.io/impersonation") as impersonation_ms,
    go_duration_ms(annotations."apiserver.latency.k8s.io/decode-response-object") as decode_ms,
    go_duration_ms(annotations."apiserver.latency.k8s.io/mutating-webhook") as mutating_webhook_ms,
    go_duration_ms(annotations."apiserver.latency.k8s.io/validating-webhook")
        as validating_webhook_ms,
    go_duration_ms(annotations."apiserver.latency.k8s.io/transform-response-object")
        as transform_ms,
    go_duration_ms(annotations."apiserver.latency.k8s.io/serialize-response-object")
        as serialize_ms,
    go_duration_ms(annotations."apiserver.latency.k8s.io/response-write") as response_write_ms,
    events.ingest_id
from audit_arrivals as arrivals
join (
    -- Most URLs have no query: null, and no further look at it.
    select rowid, *, case when contains(uri, '?') then split_part(uri, '?', 2) end as query
    from audit_events
) as events on events.rowid = arrivals.last_event
join callers
    on callers.username = coalesce(events.username, '')
    and callers.user_agent = coalesce(events.user_agent, '')
    and callers.shape = url_shape(events.resource, events.uri)
left join (
    select pod, workload_of_pod(pod) as workload
    from (select distinct pod from audit_events where pod is not null)
) as pods on pods.pod = events.pod
left join audit_addresses as addresses on addresses.source_ip = events.source_ips[-1]
left join audit_known as known
    on known.audit_id = arrivals.audit_id
    and known.received_at = arrivals.received_at
-- ResponseComplete and Panic end a request.
where if(arrivals.stages_seen >= 4, ended_ones, open_ones)
    and (known.audit_id is null or known.stages_gained > known.stages_seen)
