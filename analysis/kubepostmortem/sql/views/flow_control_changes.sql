-- One row per accepted write of a FlowSchema or PriorityLevelConfiguration.
create or replace view flow_control_changes as
select
    cluster, received_at, coalesce(impersonated_user, username) as username, verb, resource, name
from requests
where resource in ('flowschemas', 'prioritylevelconfigurations')
    and api_group = 'flowcontrol.apiserver.k8s.io'
    and verb in ('create', 'update', 'patch', 'delete', 'deletecollection')
    -- API servers themselves keep the status up to date.
    and subresource is null
    and code < 300 and not dry_run
order by cluster, received_at, resource, name;
comment on view flow_control_changes is 'Accepted writes of objects of API Priority and Fairness, as the audit log tells them.';
comment on column flow_control_changes.cluster is 'Cluster.';
comment on column flow_control_changes.received_at is 'When, UTC.';
comment on column flow_control_changes.username is 'User that wrote: the impersonated one, where there is one.';
comment on column flow_control_changes.verb is 'Audit verb.';
comment on column flow_control_changes.resource is 'flowschemas or prioritylevelconfigurations.';
comment on column flow_control_changes.name is 'Name of the object; null: a creation whose URL does not tell, or a whole collection.';
