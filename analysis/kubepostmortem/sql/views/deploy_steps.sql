-- One row per change that reached the cluster, from whatever reported it.
create or replace view deploy_steps as
select cluster, applied_at, namespace, service, kind, version, actor, action, reported_by
from deploys
union all
select cluster, applied_at, namespace, service, kind, null, actor, action, 'audit log'
from workload_changes
where code < 300;
comment on view deploy_steps is 'Changes that reached the cluster: deploy records, and workload changes that the audit log shows succeeding.';
comment on column deploy_steps.cluster is 'Cluster.';
comment on column deploy_steps.applied_at is 'When, UTC.';
comment on column deploy_steps.namespace is 'Namespace.';
comment on column deploy_steps.service is 'What was changed.';
comment on column deploy_steps.kind is 'Kind of object, where known.';
comment on column deploy_steps.version is 'Version, where known.';
comment on column deploy_steps.actor is 'Who or what did it.';
comment on column deploy_steps.action is 'What was done.';
comment on column deploy_steps.reported_by is 'Source format, or audit log.';
