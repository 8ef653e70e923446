-- One row per verb and resource that the API server answers and the audit log lacks, wholly or largely.
create or replace view policy_holes as
with logged as (
    select
        cluster,
        count(*) filter (verb = 'watch') as watches,
        count(*) filter (verb in ('get', 'list')) = 0
            and count(*) filter (verb in ('create', 'update', 'patch', 'delete')) >= 100
            as reads_nothing
    from requests
    where resource is not null
    group by cluster
),
counted as materialized (
    select
        cluster, verb, resource,
        sum(counted_requests) as counted_requests,
        sum(audited_requests)::bigint as audited_requests,
        sum(audited_nearby) as audited_nearby
    from coverage_by_request
    group by all
),
terminated as (
    select cluster, audit_verb(labels['verb']) as verb, labels['resource'] as resource,
        sum(gained) as terminated_requests
    from counter_gains
    where metric = 'apiserver_request_terminations_total'
    group by all
)
select
    cluster, verb, resource, counted_requests, audited_requests,
    audited_requests / counted_requests as audited_share,
    counted_requests / all_requests as share_of_requests,
    case
        when resource = 'events'
            or (verb = 'watch' and resource in ('endpoints', 'services'))
            or (verb = 'get' and resource in ('nodes', 'namespaces'))
            or (verb in ('get', 'update') and resource = 'endpoints')
            then 'the default policies of EKS and GCE have level None for such requests'
        when audited_nearby < 0.02 * counted_requests
            then 'a rule of level None in the audit policy'
        -- Requests that are cut off outside of the audit filter leave no event.
        when terminated_requests > counted_requests - audited_requests
            then 'the API server ended them itself (terminations), some before they were audited'
        else 'a rule of level None for some callers, or a pipeline that drops or samples'
    end as likely_reason
from (select *, sum(counted_requests) over (partition by cluster) as all_requests from counted)
join logged using (cluster)
left join terminated using (cluster, verb, resource)
-- Large enough to matter (50 requests and 0.5 % of all), and less than half of it in the log even
-- where every request that ended within a scrape of the edges is granted.
where counted_requests >= 50 and counted_requests >= 0.005 * all_requests
    and audited_nearby < 0.5 * counted_requests
    and not (reads_nothing and verb in ('get', 'list'))
union all
-- Known without a counter, too: no cluster lives on writes alone, so 100 of them and no read at all
-- is a policy.
select
    cluster, if(watches = 0, 'get, list and watch', 'get and list'), null, reads, 0,
    0 / nullif(reads, 0), reads / all_requests,
    if(watches = 0, 'a rule of level None for reads in the audit policy',
        'a log that leaves out get and list, like the category kube-audit-admin of AKS')
from logged
left join (
    select cluster, sum(counted_requests) as all_requests,
        sum(counted_requests) filter (verb in ('get', 'list')) as reads
    from counted
    group by cluster
) using (cluster)
where reads_nothing
order by cluster, counted_requests desc nulls first, verb, resource;
comment on view policy_holes is 'Verbs and resources that the API server answers and the audit log lacks, wholly or for more than half: what an audit policy or a pipeline left out.';
comment on column policy_holes.cluster is 'Cluster.';
comment on column policy_holes.verb is 'Audit verb; several where the log lacks them altogether.';
comment on column policy_holes.resource is 'Resource; null: all.';
comment on column policy_holes.counted_requests is 'Requests that apiserver_request_total counted; null where only the log tells.';
comment on column policy_holes.audited_requests is 'Such requests in the log over the same span.';
comment on column policy_holes.audited_share is 'Audited of counted.';
comment on column policy_holes.share_of_requests is 'Counted requests as a part of all that were counted.';
comment on column policy_holes.likely_reason is 'Why the log probably lacks them.';
