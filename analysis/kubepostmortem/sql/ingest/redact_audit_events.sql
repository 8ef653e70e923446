-- The audit events just read, with pseudonyms in place of their texts. A text without one is lost
-- rather than kept, except that audit_id stays where it is a UUID.
create or replace temp table audit_events as
with
lists as (
    select kind, texts, list(pseudonym order by nth) as pseudonyms
    from (
        select kind, texts, unnest(texts) as text, generate_subscripts(texts, 1) as nth
        from (
            select 'ip' as kind, source_ips as texts from audit_events
            union select 'group', user_groups from audit_events
        )
    )
    join pseudonyms using (kind, text)
    group by kind, texts
)
select events.* replace (
    users.pseudonym as username,
    impersonated.pseudonym as impersonated_user,
    user_groups.pseudonyms as user_groups,
    namespaces.pseudonym as namespace,
    names.pseudonym as name,
    uris.pseudonym as uri,
    nodes.pseudonym as token_node,
    pods.pseudonym as pod,
    addresses.pseudonyms as source_ips,
    agents.pseudonym as user_agent,
    instances.pseudonym as apiserver,
    case
        when regexp_full_match(audit_id, '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}') then audit_id
        else ids.pseudonym
    end as audit_id)
from audit_events as events
left join object_kinds using (resource)
left join pseudonyms as users on users.kind = 'user' and users.text = events.username
left join pseudonyms as impersonated
    on impersonated.kind = 'user' and impersonated.text = events.impersonated_user
left join lists as user_groups
    on user_groups.kind = 'group' and user_groups.texts = events.user_groups
left join pseudonyms as namespaces
    on namespaces.kind = 'namespace' and namespaces.text = events.namespace
left join pseudonyms as names
    on names.text = events.name and names.kind
        = if(events.namespace = 'kube-node-lease', 'node', coalesce(object_kinds.kind, 'name'))
left join pseudonyms as uris on uris.kind = 'uri' and uris.text = events.uri
left join pseudonyms as nodes on nodes.kind = 'node' and nodes.text = events.token_node
left join pseudonyms as pods on pods.kind = 'pod' and pods.text = events.pod
left join lists as addresses on addresses.kind = 'ip' and addresses.texts = events.source_ips
left join pseudonyms as agents on agents.kind = 'agent' and agents.text = events.user_agent
left join pseudonyms as instances
    on instances.kind = 'instance' and instances.text = events.apiserver
left join pseudonyms as ids on ids.kind = 'audit_id' and ids.text = events.audit_id
