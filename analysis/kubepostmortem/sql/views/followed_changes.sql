-- One row per accepted creation or deletion of a workload: when a controller first acted upon it.
create or replace view followed_changes as
with changes as (
    select workload_changes.*, intervals.ends_at as log_ends_at
    from workload_changes
    join intervals using (cluster)
    where code < 300 and action in ('create', 'delete')
),
acts as (
    select cluster, namespace, name, verb, component, controller, finished_at
    from requests
    where (component = 'kube-controller-manager' or controller is not null)
        and verb in ('create', 'update', 'patch', 'delete', 'deletecollection')
        and resource in ('pods', 'replicasets', 'controllerrevisions', 'daemonsets', 'deployments',
            'statefulsets')
        and code < 300 and finished_at is not null
)
select
    changes.cluster, changes.applied_at, changes.namespace, changes.service, changes.kind,
    changes.action, changes.actor,
    min(acts.finished_at) as followed_at,
    arg_min(coalesce(acts.controller, acts.component), acts.finished_at) as followed_by,
    epoch(coalesce(min(acts.finished_at), any_value(log_ends_at)) - any_value(changes.applied_at))
        as waited_s
from changes
left join acts
    on acts.cluster = changes.cluster and acts.namespace = changes.namespace
    and acts.finished_at > changes.applied_at
    -- What is created under a name that the server makes up has none in the log.
    and (acts.name = changes.service or starts_with(acts.name, changes.service || '-')
        or changes.action = 'create' and acts.name is null and acts.verb = 'create')
group by changes.cluster, changes.applied_at, changes.namespace, changes.service, changes.kind,
    changes.action, changes.actor
order by changes.applied_at, changes.cluster, changes.namespace, changes.service;
comment on view followed_changes is 'Workloads that were created or deleted, and when a controller began to act upon it: the API server accepts a change whether or not anybody carries it out. A patch may change nothing, so patches are left out.';
comment on column followed_changes.cluster is 'Cluster.';
comment on column followed_changes.applied_at is 'When the API server received the change, UTC.';
comment on column followed_changes.namespace is 'Namespace.';
comment on column followed_changes.service is 'Name of the workload.';
comment on column followed_changes.kind is 'DaemonSet, Deployment or StatefulSet.';
comment on column followed_changes.action is 'create or delete.';
comment on column followed_changes.actor is 'Who asked for it.';
comment on column followed_changes.followed_at is 'First accepted write of a controller to its pods or revisions, UTC; null: none until the log ends.';
comment on column followed_changes.followed_by is 'Controller that wrote.';
comment on column followed_changes.waited_s is 'Seconds until then, or until the log ends.';
