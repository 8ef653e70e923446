-- One row per text of the audit events just read that is to be replaced, and its kind.
-- The names of objects are of the kind that object_kinds gives to their resource.
select kind, text
from (
    select 'user' as kind, username as text from audit_events
    union select 'user', impersonated_user from audit_events
    union select 'group', unnest(user_groups) from audit_events
    union select 'namespace', namespace from audit_events
    union select if(namespace = 'kube-node-lease', 'node', coalesce(object_kinds.kind, 'name')), name
    from audit_events left join object_kinds using (resource)
    union select 'uri', uri from audit_events
    union select 'node', token_node from audit_events
    union select 'pod', pod from audit_events
    union select 'ip', unnest(source_ips) from audit_events
    union select 'agent', user_agent from audit_events
    union select 'instance', apiserver from audit_events
    -- One of its own for every request, and nearly always a UUID, which stays.
    union select 'audit_id', audit_id from audit_events 
    where not regexp_full_match(audit_id, '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}')
)
where text is not null
