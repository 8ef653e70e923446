-- One row per change of a workload that somebody other than a control loop made, from the audit log.
create or replace view workload_changes as
select
    cluster, received_at as applied_at, namespace, name as service,
    case resource
        when 'daemonsets' then 'DaemonSet'
        when 'deployments' then 'Deployment'
        when 'statefulsets' then 'StatefulSet'
    end as kind,
    verb as action, coalesce(impersonated_user, username) as actor, component, code, audit_id
from requests
where resource in ('daemonsets', 'deployments', 'statefulsets')
    and verb in ('create', 'update', 'patch', 'delete')
    and (subresource is null or subresource = 'scale')
    and component <> 'kube-controller-manager'
    and requests.kind not in ('control-plane', 'autoscaler')
    and name is not null
    and not dry_run;
comment on view workload_changes is 'Changes of DaemonSets, Deployments and StatefulSets in the audit log, other than by control loops.';
comment on column workload_changes.cluster is 'Cluster.';
comment on column workload_changes.applied_at is 'When the API server received the change, UTC.';
comment on column workload_changes.namespace is 'Namespace.';
comment on column workload_changes.service is 'Name of the workload.';
comment on column workload_changes.kind is 'Kind of the workload.';
comment on column workload_changes.action is 'Verb: create, update, patch or delete.';
comment on column workload_changes.actor is 'User that it was done as.';
comment on column workload_changes.component is 'Program that did it.';
comment on column workload_changes.code is 'HTTP status: the change was made only where it is below 300.';
comment on column workload_changes.audit_id is 'Audit-ID of the request.';
