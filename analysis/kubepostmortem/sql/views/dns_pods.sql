-- One row per pod of the cluster DNS: when it was placed, synchronized with the API, deleted.
create or replace view dns_pods as
with calls as (
    select
        cluster, split_part(workload, '/', 1) as namespace, workload, pod, received_at, finished_at,
        started_at, verb, resource, code, latency_ms
    from requests
    where kind = 'dns' and component in ('coredns', 'kube-dns', 'node-local-dns') and pod is not null
),
firsts as (
    -- It serves names once it has read each kind of object; a watch that sends them begins then.
    select cluster, pod, resource,
        min(if(verb = 'watch', started_at, finished_at)) as read_at
    from calls
    where verb in ('list', 'watch') and (code < 300 or code is null)
    group by all
),
synced as (
    select cluster, pod, max(read_at) as synced_at from firsts group by all
),
callers as (
    select
        cluster, pod, any_value(namespace) as namespace, min(received_at) as first_call_at,
        max(received_at) as last_call_at,
        count(*) filter (code = 429 or code >= 500) as failed_calls,
        max(latency_ms) filter (verb = 'list') / 1e3 as slowest_list_s
    from calls
    group by all
),
acts as (
    select
        cluster, namespace, name as pod,
        min(received_at) filter (verb = 'create' and subresource = 'binding') as bound_at,
        min(received_at) filter (verb = 'delete' and subresource is null
            or verb = 'create' and subresource = 'eviction') as deleted_at
    from requests
    where resource = 'pods' and code < 300
        and regexp_matches(name, '^([a-z0-9]+-)*(coredns|kube-dns|node-?local-?dns)-[a-z0-9-]*$')
        and not regexp_matches(name, 'autoscaler|external')
    group by all
)
select
    coalesce(callers.cluster, acts.cluster) as cluster,
    coalesce(callers.namespace, acts.namespace) as namespace,
    coalesce(callers.pod, acts.pod) as pod,
    workload_of_pod(coalesce(callers.pod, acts.pod)) as workload,
    bound_at, first_call_at, if(bound_at is not null, synced_at, null) as synced_at,
    deleted_at, last_call_at, coalesce(failed_calls, 0) as failed_calls, slowest_list_s
from callers
full join acts using (cluster, pod)
left join synced on synced.cluster = callers.cluster and synced.pod = callers.pod
where coalesce(first_call_at, bound_at, deleted_at) is not null;
comment on view dns_pods is 'Pods of CoreDNS, kube-dns and node-local DNS caches that called the API, were placed or were deleted.';
comment on column dns_pods.cluster is 'Cluster.';
comment on column dns_pods.namespace is 'Namespace.';
comment on column dns_pods.pod is 'Pod.';
comment on column dns_pods.workload is 'Its owner, inferred from the name.';
comment on column dns_pods.bound_at is 'When the scheduler placed it on a node, UTC; null: not in the log.';
comment on column dns_pods.first_call_at is 'Its first request, UTC; null: it never called.';
comment on column dns_pods.synced_at is 'Of pods that were placed within the log: when it had read each kind of object that it serves names of, UTC.';
comment on column dns_pods.deleted_at is 'When its deletion or eviction was accepted, UTC; null: not in the log.';
comment on column dns_pods.last_call_at is 'Its last request, UTC.';
comment on column dns_pods.failed_calls is 'Its requests that ended with 429 or 5xx.';
comment on column dns_pods.slowest_list_s is 'Its slowest list, seconds.';
