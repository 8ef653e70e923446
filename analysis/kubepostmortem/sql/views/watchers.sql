-- One row per cluster and resource: how many watches must be told of every write.
create or replace view watchers as
with spans as (
    -- Watches may be older than the log: it begins where the first request ends.
    select
        cluster, min(finished_at) as begins_at, max(finished_at) as ends_at,
        count(distinct apiserver) as apiservers
    from requests
    group by cluster
)
select
    cluster, concat_ws('.', resource, nullif(api_group, '')) as resource,
    sum(greatest(0, epoch(
        least(coalesce(finished_at, ends_at), ends_at) - greatest(received_at, begins_at))))
        / any_value(epoch(ends_at - begins_at)) / any_value(apiservers) as watchers
from requests
join spans using (cluster)
where verb = 'watch' and scope = 'cluster' and coalesce(code, 200) < 400 and ends_at > begins_at
    -- The API server finds the one watch of a node by an index.
    and not (resource = 'pods'
        and regexp_matches(coalesce(field_selector, ''), '(^|,)spec\.nodeName==?[^,]'))
group by all;
comment on view watchers is 'How many watches of all objects of a resource one API server has open, on average over the log. Watches of a single namespace or object, of pods of a single node, and those that neither begin nor end within the log are not counted.';
comment on column watchers.cluster is 'Cluster.';
comment on column watchers.resource is 'Resource, plural, with its group (pods, daemonsets.apps).';
comment on column watchers.watchers is 'Watches open at a time.';
