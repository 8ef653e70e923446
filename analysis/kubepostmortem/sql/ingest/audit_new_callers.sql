-- One row per caller that the database has not met before.
select username, user_agent, shape
from (
    select distinct
        coalesce(username, '') as username,
        coalesce(user_agent, '') as user_agent,
        url_shape(resource, uri) as shape
    from audit_events
    where audit_id is not null
)
anti join callers using (username, user_agent, shape)
order by all
