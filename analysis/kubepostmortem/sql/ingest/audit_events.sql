-- One row per line of these files of events, flattened, in order; all columns null where the line is no JSON object.
-- Typed columns are read from the JSON directly: several times faster than JSON values, maps or casts.
create or replace temp table audit_events as
select
    -- No join: it would not keep the order, and the name of a file is one constant for all its lines.
    $ingest_ids[list_position($files, filename)]::integer as ingest_id,
    list_position($files, filename) - 1 as piece,
    coalesce(apiserver, $apiservers[list_position($files, filename)]) as apiserver,
    auditID as audit_id,
    event_time(requestReceivedTimestamp) as received_at,
    event_time(stageTimestamp) as stage_at,
    stage,
    level,
    requestURI as uri,
    verb,
    objectRef.apiGroup as api_group,
    objectRef.apiVersion as api_version,
    objectRef.resource as resource,
    objectRef.subresource as subresource,
    objectRef.namespace as namespace,
    objectRef.name as name,
    "user".username as username,
    "user".groups as user_groups,
    "user".extra."authentication.kubernetes.io/node-name"[1] as token_node,
    "user".extra."authentication.kubernetes.io/pod-name"[1] as pod,
    impersonatedUser.username as impersonated_user,
    sourceIPs as source_ips,
    userAgent as user_agent,
    responseStatus.code as code,
    coalesce(annotations."audit.k8s.io/truncated" = 'true', false) as truncated,
    true as timed,
    annotations
from read_json(
    $paths,
    format = 'newline_delimited',
    compression = 'none',
    ignore_errors = true,
    maximum_object_size = 67108864,
    filename = true,
    columns = {
        apiserver: 'VARCHAR',
        auditID: 'VARCHAR',
        requestReceivedTimestamp: 'TIMESTAMP',
        stageTimestamp: 'TIMESTAMP',
        stage: 'VARCHAR',
        level: 'VARCHAR',
        requestURI: 'VARCHAR',
        verb: 'VARCHAR',
        objectRef: 'STRUCT(apiGroup VARCHAR, apiVersion VARCHAR, resource VARCHAR, subresource VARCHAR, namespace VARCHAR, name VARCHAR)',
        user: 'STRUCT(username VARCHAR, groups VARCHAR[], extra STRUCT("authentication.kubernetes.io/node-name" VARCHAR[], "authentication.kubernetes.io/pod-name" VARCHAR[]))',
        impersonatedUser: 'STRUCT(username VARCHAR)',
        sourceIPs: 'VARCHAR[]',
        userAgent: 'VARCHAR',
        responseStatus: 'STRUCT(code INTEGER)',
        annotations: 'STRUCT("audit.k8s.io/truncated" VARCHAR, "authorization.k8s.io/decision" VARCHAR, "apiserver.latency.k8s.io/total" VARCHAR, "apiserver.latency.k8s.io/apf-queue-wait" VARCHAR, "apiserver.latency.k8s.io/etcd" VARCHAR, "apiserver.latency.k8s.io/authentication" VARCHAR, "apiserver.latency.k8s.io/authorization" VARCHAR, "apiserver.latency.k8s.io/impersonation" VARCHAR, "apiserver.latency.k8s.io/decode-response-object" VARCHAR, "apiserver.latency.k8s.io/mutating-webhook" VARCHAR, "apiserver.latency.k8s.io/validating-webhook" VARCHAR, "apiserver.latency.k8s.io/transform-response-object" VARCHAR, "apiserver.latency.k8s.io/serialize-response-object" VARCHAR, "apiserver.latency.k8s.io/response-write" VARCHAR)'
    }
)
