-- One row per hour, client, resource and verb: its requests, and the change to the hour before.
create or replace view growth_by_hour as
with counts as (
    select
        cluster, hour_at, username, user_agent, resource, api_group, verb,
        sum(requests)::bigint as requests, bool_and(is_whole) as is_whole
    from api_request_counts
    group by all
)
select
    counts.*,
    -- Who is not in the list of the hour before may still have called: at most as often as its last.
    case when hours.hour_at is not null then counts.requests - coalesce(before.requests, 0) end
        as growth
from counts
left join (select distinct cluster, hour_at from counts) as hours
    on hours.cluster = counts.cluster and hours.hour_at = counts.hour_at - interval 1 hour
left join counts as before
    on before.cluster = counts.cluster and before.hour_at = counts.hour_at - interval 1 hour
    and before.username = counts.username and before.user_agent = counts.user_agent
    and before.resource = counts.resource and before.api_group = counts.api_group
    and before.verb = counts.verb
order by growth desc nulls last, counts.cluster, counts.hour_at, username, user_agent, resource, verb;
comment on view growth_by_hour is 'Who grew from one hour to the next, by OpenShift''s APIRequestCounts, largest growth first: an answer without any audit log.';
comment on column growth_by_hour.cluster is 'Cluster.';
comment on column growth_by_hour.hour_at is 'Beginning of the hour, UTC.';
comment on column growth_by_hour.username is 'Authenticated user; empty: all clients outside the list of the busiest.';
comment on column growth_by_hour.user_agent is 'User-Agent header; empty for clients outside the list.';
comment on column growth_by_hour.resource is 'Resource, plural.';
comment on column growth_by_hour.api_group is 'API group; empty for the core group.';
comment on column growth_by_hour.verb is 'Verb; empty for clients outside the list.';
comment on column growth_by_hour.requests is 'Requests in this hour, by all API servers.';
comment on column growth_by_hour.is_whole is 'False for the hour in which the object was taken: it was not over yet.';
comment on column growth_by_hour.growth is 'More requests than in the hour before, in which a client outside the list counts as none; null: nothing is known of the hour before.';
