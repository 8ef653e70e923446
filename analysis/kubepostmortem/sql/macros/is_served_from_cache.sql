-- Whether a list is answered from the watch cache of the API server, not from etcd.
create or replace macro is_served_from_cache(
    verb, page_limit, continues, resource_version, resource_version_match,
    minor, consistent_lists
) as
case
    when verb = 'watch' then true
    -- Later releases let the match decide before these two.
    when minor < 34 and continues then false
    when minor < 31 and coalesce(resource_version, '') <> '0'
        and try_cast(page_limit as bigint) > 0 then false
    when resource_version_match is not null then resource_version_match = 'NotOlderThan'
    when continues then false
    when resource_version is null then consistent_lists
    else resource_version = '0' or coalesce(try_cast(page_limit as bigint), 0) <= 0
end;
comment on macro is_served_from_cache is 'True where a list is answered from the watch cache of the API server, false where from etcd. consistent_lists: lists of the most recent state come from the cache (ConsistentListFromCache).';
