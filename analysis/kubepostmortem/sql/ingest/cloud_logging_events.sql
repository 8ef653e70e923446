-- One row per entry of Cloud Logging of these files, as the audit event that it was made from, in order.
select
    -- No join: it would not keep the order, and the name of a file is one constant for all its lines.
    $ingest_ids[list_position($files, filename)]::integer as ingest_id,
    list_position($files, filename) - 1 as piece,
    $apiservers[list_position($files, filename)] as apiserver,
    coalesce(operation.id, insertId) as audit_id,
    event_time("timestamp") as received_at,
    event_time("timestamp") as stage_at,
    -- The end of a long-running request comes in an entry of its own, and is not read.
    if(coalesce(operation.first, false) and not coalesce(operation.last, false),
        'ResponseStarted', 'ResponseComplete') as stage,
    null::varchar as level,
    if(api is null, '/' || payload.resourceName,
        if(api.api_group = 'core', '/api/', '/apis/' || api.api_group || '/')
            || regexp_replace(payload.resourceName, '^[^/]+/', '')) as uri,
    lower(regexp_extract(payload.methodName, '[^.]+$')) as verb,
    nullif(api.api_group, 'core') as api_group,
    api.api_version,
    api.resource,
    nullif(api.subresource, '') as subresource,
    nullif(api.namespace, '') as namespace,
    nullif(api.name, '') as name,
    payload.authenticationInfo.principalEmail as username,
    null::varchar[] as user_groups,
    null::varchar as token_node,
    null::varchar as pod,
    null::varchar as impersonated_user,
    [payload.requestMetadata.callerIp] as source_ips,
    payload.requestMetadata.callerSuppliedUserAgent as user_agent,
    -- google.rpc codes, https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
    case coalesce(payload.status.code, 0)
        when 0 then if(ends_with(payload.methodName, '.create'), 201, 200)
        when 1 then 499
        when 3 then 400 when 9 then 400 when 11 then 400
        when 4 then 504
        when 5 then 404
        when 6 then 409 when 10 then 409
        when 7 then 403
        when 8 then 429
        when 12 then 501
        when 14 then 503
        when 16 then 401
        else 500
    end as code,
    false as truncated,
    false as timed,
    {
        'authorization.k8s.io/decision': labels."authorization.k8s.io/decision",
        'apiserver.latency.k8s.io/total': null::varchar,
        'apiserver.latency.k8s.io/apf-queue-wait': null::varchar,
        'apiserver.latency.k8s.io/etcd': null::varchar,
        'apiserver.latency.k8s.io/authentication': null::varchar,
        'apiserver.latency.k8s.io/authorization': null::varchar,
        'apiserver.latency.k8s.io/impersonation': null::varchar,
        'apiserver.latency.k8s.io/decode-response-object': null::varchar,
        'apiserver.latency.k8s.io/mutating-webhook': null::varchar,
        'apiserver.latency.k8s.io/validating-webhook': null::varchar,
        'apiserver.latency.k8s.io/transform-response-object': null::varchar,
        'apiserver.latency.k8s.io/serialize-response-object': null::varchar,
        'apiserver.latency.k8s.io/response-write': null::varchar
    } as annotations
from (
    select
        *, protoPayload as payload,
        if(regexp_matches(protoPayload.resourceName, '^[^/]+/v[0-9][^/]*/'),
            regexp_extract(
                protoPayload.resourceName,
                '^([^/]+)/([^/]+)/(?:namespaces/([^/]+)/)?([^/]+)(?:/([^/]+))?(?:/(.+))?$',
                ['api_group', 'api_version', 'namespace', 'resource', 'name', 'subresource']),
            null) as api
    from read_json(
        $paths,
        format = 'newline_delimited',
        compression = 'none',
        ignore_errors = true,
        maximum_object_size = 67108864,
        filename = true,
        columns = {
            insertId: 'VARCHAR',
            "timestamp": 'TIMESTAMP',
            operation: 'STRUCT(id VARCHAR, "first" BOOLEAN, "last" BOOLEAN)',
            labels: 'STRUCT("authorization.k8s.io/decision" VARCHAR)',
            protoPayload: 'STRUCT(methodName VARCHAR, resourceName VARCHAR, authenticationInfo STRUCT(principalEmail VARCHAR), requestMetadata STRUCT(callerIp VARCHAR, callerSuppliedUserAgent VARCHAR), status STRUCT(code INTEGER))'
        }
    )
)
