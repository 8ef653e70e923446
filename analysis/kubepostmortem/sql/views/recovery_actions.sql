-- One row per attempt of people or pipelines to change something during the overload or after it.
create or replace view recovery_actions as
with writes as (
    select
        requests.cluster, received_at, finished_at, audit_id,
        coalesce(impersonated_user, username) as actor, component, requests.kind as caller_kind,
        verb, api_group, resource, subresource, namespace, name, code,
        case
            when resource in ('daemonsets', 'deployments', 'statefulsets', 'replicasets', 'jobs',
                'cronjobs') then 'workload'
            when resource = 'pods' then 'pods'
            when resource = 'namespaces' then 'namespace'
            when resource like '%networkpolicies' or resource like '%networkpolicy'
                then 'network policy'
            when api_group = 'flowcontrol.apiserver.k8s.io' then 'flow control'
            when api_group = 'rbac.authorization.k8s.io' or resource = 'serviceaccounts' then 'access'
            when resource = 'nodes' then 'nodes'
            when resource like '%webhookconfigurations' then 'admission webhooks'
            when resource = 'leases' then 'leader election'
            when resource = 'configmaps' then 'configuration'
            else 'other'
        end as target,
        case
            when code < 300 then 'accepted'
            when code = 429 then 'refused'
            when code >= 500 then 'failed'
            when code in (401, 403) then 'forbidden'
            when code is null then 'open'
            else 'rejected'
        end as result
    from requests
    join incident
        on incident.cluster = requests.cluster and time_window = 'overload'
        and received_at >= begins_at
    where (requests.kind in ('human', 'ci', 'gitops')
            or list_contains(user_groups, 'system:masters') and requests.kind <> 'control-plane')
        and verb in ('create', 'update', 'patch', 'delete', 'deletecollection')
        and not dry_run
        and api_group not in ('authentication.k8s.io', 'authorization.k8s.io')
        and (subresource is null or subresource in ('scale', 'eviction'))
        -- What they keep of their own is no change to the cluster.
        and resource not in ('events', 'secrets') and not (resource = 'leases' and verb <> 'delete')
),
numbered as (
    select *, count(*) filter (fresh) over one as attempt
    from (
        select *, coalesce(
            lag(result) over one = 'accepted'
            or received_at - lag(coalesce(finished_at, received_at)) over one > interval 5 minute,
            true) as fresh
        from writes
        window one as (partition by cluster, actor, verb, resource, subresource, namespace, name
            order by received_at, audit_id)
    )
    window one as (partition by cluster, actor, verb, resource, subresource, namespace, name
        order by received_at, audit_id rows between unbounded preceding and current row)
)
select
    cluster, min(received_at) as began_at,
    min(finished_at) filter (result = 'accepted') as accepted_at,
    actor, any_value(component) as component, any_value(caller_kind) as caller_kind, verb, target,
    resource, subresource, namespace, name,
    count(*) as tries,
    count(*) filter (result = 'refused') as refused,
    count(*) filter (result in ('failed', 'open')) as failed,
    coalesce(max(result) filter (result = 'accepted'), arg_max(result, received_at)) as outcome,
    arg_max(code, received_at) as code,
    epoch(coalesce(accepted_at, max(coalesce(finished_at, received_at))) - began_at) as took_s
from numbered
group by cluster, actor, verb, target, resource, subresource, namespace, name, attempt
order by began_at, cluster, actor, resource, name;
comment on view recovery_actions is 'Changes that people, pipelines and GitOps tools asked for from the beginning of the overload on; the same change asked for again within five minutes of a failure is one attempt.';
comment on column recovery_actions.cluster is 'Cluster.';
comment on column recovery_actions.began_at is 'First try, UTC.';
comment on column recovery_actions.accepted_at is 'When the API server had answered the accepted one, UTC; null: none was.';
comment on column recovery_actions.actor is 'User that asked; the impersonated one where there is one.';
comment on column recovery_actions.component is 'Program that asked.';
comment on column recovery_actions.caller_kind is 'Kind of the program: human, ci, gitops, or that of a member of system:masters.';
comment on column recovery_actions.verb is 'Verb.';
comment on column recovery_actions.target is 'What it changes: workload, pods, namespace, network policy, flow control, access, nodes, admission webhooks, leader election, configuration or other.';
comment on column recovery_actions.resource is 'Resource.';
comment on column recovery_actions.subresource is 'Subresource: scale, eviction or none.';
comment on column recovery_actions.namespace is 'Namespace.';
comment on column recovery_actions.name is 'Name of the object; null where several or a new one.';
comment on column recovery_actions.tries is 'Requests of the attempt.';
comment on column recovery_actions.refused is 'Of them answered 429.';
comment on column recovery_actions.failed is 'Of them answered 5xx, given up, or open at the end of the log.';
comment on column recovery_actions.outcome is 'accepted, or how the last try ended: refused, failed, forbidden, rejected (other 4xx) or open.';
comment on column recovery_actions.code is 'HTTP status of the last try.';
comment on column recovery_actions.took_s is 'From the first try to the accepted answer, or to the last answer, seconds.';
