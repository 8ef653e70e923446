-- One row per deleted pod of a Deployment: when the endpoints of its namespace were next written.
create or replace view endpoint_lags as
with writes as (
    select cluster, namespace, received_at as written_at
    from requests
    where resource in ('endpointslices', 'endpoints') and code < 300
        and verb in ('create', 'update', 'patch', 'delete')
),
ends as (
    select cluster, max(received_at) as log_ends_at from requests group by cluster
),
deleted as (
    select cluster, namespace, name as pod, min(received_at) as deleted_at
    from requests
    where resource = 'pods' and subresource is null and verb = 'delete' and code < 300
        -- Pods of a DaemonSet seldom stand behind a service.
        and revision_of_pod(name) is not null
    group by all
)
select
    deleted.cluster, deleted.namespace, pod, deleted_at, written_at,
    epoch(coalesce(written_at, log_ends_at) - deleted_at) as stale_s
from deleted
join ends using (cluster)
asof left join writes
    on writes.cluster = deleted.cluster and writes.namespace = deleted.namespace
    and writes.written_at >= deleted.deleted_at
-- Where no endpoints are written at all, no service selects the pods; one always does those of DNS.
where deleted.cluster in (select cluster from writes)
    and (starts_with(workload_of_pod(pod), 'coredns') or starts_with(workload_of_pod(pod), 'kube-dns')
        or (deleted.cluster, deleted.namespace) in (select (cluster, namespace) from writes))
order by deleted_at, deleted.cluster, pod;
comment on view endpoint_lags is 'Pods of Deployments that were deleted, and how long the endpoints of their namespace went without a write after it: clients may have been sent to a pod that is gone.';
comment on column endpoint_lags.cluster is 'Cluster.';
comment on column endpoint_lags.namespace is 'Namespace of the pod.';
comment on column endpoint_lags.pod is 'Pod.';
comment on column endpoint_lags.deleted_at is 'When its deletion was accepted, UTC.';
comment on column endpoint_lags.written_at is 'First accepted write of an EndpointSlice or Endpoints object of the namespace after it, UTC; null: none until the log ends.';
comment on column endpoint_lags.stale_s is 'Seconds from the deletion to that write, or to the end of the log.';
