-- One row per cluster and verb: requests in the audit log against the API server's own counter.
create or replace view coverage as
with scrapes as (
    select
        cluster, audit_verb(labels['verb']) as verb, series_id, sampled_at, value,
        lag(value) over (partition by series_id order by sampled_at) as before,
        min(sampled_at) over (partition by cluster) as first_at,
        max(sampled_at) over (partition by cluster) as last_at
    from metric_samples
    join metric_series using (series_id)
    join intervals using (cluster)
    where metric = 'apiserver_request_total' and isfinite(value)
        and sampled_at between begins_at and ends_at
),
counted as (
    select
        cluster, verb, first_at, last_at,
        sum(case
            -- A series that turns up later counts from zero; in the first minute it may just be
            -- another API server, scraped a moment after the first one.
            when before is null then if(sampled_at > first_at + interval 1 minute, value, 0)
            when value < before then value
            else value - before
        end) as counted_requests
    from scrapes
    group by all
)
select *, audited_requests / nullif(counted_requests, 0) as audited_share
from (
    select counted.*, count(requests.audit_id) as audited_requests
    from counted
    left join requests
        on requests.cluster = counted.cluster and requests.verb = counted.verb
        and requests.resource is not null
        and requests.finished_at > first_at and requests.finished_at <= last_at
    group by all
)
order by cluster, counted_requests desc;
comment on view coverage is 'Requests in the audit log against apiserver_request_total over the same span: what the log does not show.';
comment on column coverage.cluster is 'Cluster.';
comment on column coverage.verb is 'Audit verb.';
comment on column coverage.first_at is 'First scrape within the span of the audit log, UTC.';
comment on column coverage.last_at is 'Last scrape within the span of the audit log, UTC.';
comment on column coverage.counted_requests is 'Requests that the counter gained between the two.';
comment on column coverage.audited_requests is 'Resource requests in the audit log that ended between the two.';
comment on column coverage.audited_share is 'Their ratio; above 1 where the counter missed some (scrapes fail under overload).';
