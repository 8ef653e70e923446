-- One row per cluster, verb, resource, subresource and code: requests counted and requests in the log.
create or replace view coverage_by_request as
with spans as (
    -- The part of the log that was scraped, and the labels that tell its requests apart.
    select
        cluster, min(sampled_at) as first_at, max(sampled_at) as last_at,
        to_seconds(median(epoch(sampled_at - since_at))::bigint + 1) as step,
        bool_or(list_contains(label_names, 'verb')) as by_verb,
        bool_or(list_contains(label_names, 'resource')) as by_resource,
        bool_or(list_contains(label_names, 'subresource')) as by_subresource,
        bool_or(list_contains(label_names, 'code')) as by_code
    from counter_gains
    join intervals using (cluster)
    where metric = 'apiserver_request_total' and sampled_at between begins_at and ends_at
    group by cluster
),
keyed as (
    -- What the export was summed over is null on both sides: like is compared with like.
    select
        cluster, first_at, last_at,
        if(by_verb,
            counted_as(audit_verb(labels['verb']), if(by_subresource, labels['subresource'], null)),
            null) as verb,
        labels['resource'] as resource,
        if(by_subresource, coalesce(labels['subresource'], ''), null) as subresource,
        try_cast(labels['code'] as integer) as code,
        gained as counted, 0 as audited, 0 as nearby
    from counter_gains
    join spans using (cluster)
    where metric = 'apiserver_request_total' and sampled_at > first_at and sampled_at <= last_at
        -- Health probes and schemas: few of them are counted, and policies leave them out.
        and (not by_resource or coalesce(labels['resource'], '') <> '')
        -- The log does not call them so: only the subresource tells them there.
        and (by_subresource or labels['verb'] is distinct from 'CONNECT')
    union all
    select
        requests.cluster, first_at, last_at,
        if(by_verb, counted_as(verb, if(by_subresource, subresource, null)), null) as verb,
        if(by_resource, resource, null),
        if(by_subresource, coalesce(subresource, ''), null),
        if(by_code, code, null),
        0, (finished_at > first_at and finished_at <= last_at)::integer, 1
    from requests
    join spans
        on spans.cluster = requests.cluster
        and finished_at > first_at - step and finished_at <= last_at + step
    where resource is not null or not by_resource
)
select
    cluster, verb, resource, subresource, code, first_at, last_at,
    sum(counted) as counted_requests,
    sum(audited)::bigint as audited_requests,
    sum(nearby)::bigint as audited_nearby,
    sum(audited) / nullif(sum(counted), 0) as audited_share
from keyed
group by all
having counted_requests > 0 or audited_requests > 0
order by cluster, counted_requests desc, verb, resource, subresource, code;
comment on view coverage_by_request is 'Requests that apiserver_request_total counted and requests in the audit log, of those that ended within the scraped part of the log. Compared by the labels that the export has; others are null.';
comment on column coverage_by_request.cluster is 'Cluster.';
comment on column coverage_by_request.verb is 'Audit verb as in counted_as: connect for streams, delete for deletecollection; a watch counts when it ends.';
comment on column coverage_by_request.resource is 'Resource.';
comment on column coverage_by_request.subresource is 'Subresource; empty: none.';
comment on column coverage_by_request.code is 'HTTP status.';
comment on column coverage_by_request.first_at is 'First scrape within the span of the audit log, UTC.';
comment on column coverage_by_request.last_at is 'Last scrape within the span of the audit log, UTC.';
comment on column coverage_by_request.counted_requests is 'Requests that the counter gained between the two.';
comment on column coverage_by_request.audited_requests is 'Requests in the audit log that ended between the two.';
comment on column coverage_by_request.audited_nearby is 'The same with one scrape more at either end: what edges of scrapes can explain.';
comment on column coverage_by_request.audited_share is 'Audited of counted; above 1 where the counter missed some (scrapes fail under overload).';
