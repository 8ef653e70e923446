-- One row per change that reached the cluster, from whatever reported it.
create or replace view deploy_steps as
with named as (
    select cluster, service, any_value(namespace) as namespace
    from (
        select cluster, split_part(client, '/', 1) as namespace, split_part(client, '/', 2) as service
        from (
            select distinct cluster, unnest([workload, service_account(username)]) as client
            from requests
        )
        where client is not null
        union
        select cluster, namespace, name from workloads
        union
        select cluster, namespace, service from workload_changes
    )
    group by cluster, service
    having count(distinct namespace) = 1
)
select
    cluster, applied_at, applied_at as seen_until,
    -- Pipelines often leave the namespace out: it is that of the only client of this name.
    coalesce(deploys.namespace, named.namespace) as namespace,
    service, kind, version, actor, action, reported_by
from deploys
left join named using (cluster, service)
union all
select
    cluster, applied_at, applied_at, namespace, service, kind, null, actor, action, 'audit log'
from workload_changes
where code < 300
union all
-- What nobody recorded shows in the calls of the new pods.
select
    cluster, began_at, ended_at, split_part(workload, '/', 1), split_part(workload, '/', 2),
    if(revision is null, null, 'Deployment'), revision, null, 'rollout wave', 'pods first seen'
from rollouts;
comment on view deploy_steps is 'Changes that reached the cluster: deploy records, workload changes that the audit log shows succeeding, and waves of new pods.';
comment on column deploy_steps.cluster is 'Cluster.';
comment on column deploy_steps.applied_at is 'When, UTC.';
comment on column deploy_steps.seen_until is 'When the last pod of a wave of new pods appeared, UTC; of any other step its own time.';
comment on column deploy_steps.namespace is 'Namespace; where the record has none, that of the only workload or service account of this name.';
comment on column deploy_steps.service is 'What was changed.';
comment on column deploy_steps.kind is 'Kind of object, where known.';
comment on column deploy_steps.version is 'Version, where known; of a wave of new pods the pod-template hash.';
comment on column deploy_steps.actor is 'Who or what did it.';
comment on column deploy_steps.action is 'What was done.';
comment on column deploy_steps.reported_by is 'Source format, audit log, or pods first seen.';
