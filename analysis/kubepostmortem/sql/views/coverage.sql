-- One row per cluster and verb: requests in the audit log against the API server's own counter.
create or replace view coverage as
select
    cluster, verb, first_at, last_at,
    sum(counted_requests) as counted_requests,
    sum(audited_requests)::bigint as audited_requests,
    sum(audited_requests) / nullif(sum(counted_requests), 0) as audited_share
from coverage_by_request
group by all
order by cluster, counted_requests desc, verb;
comment on view coverage is 'Requests in the audit log against apiserver_request_total over the same span: what the log does not show.';
comment on column coverage.cluster is 'Cluster.';
comment on column coverage.verb is 'Audit verb as in counted_as; null where the counter was exported without it.';
comment on column coverage.first_at is 'First scrape within the span of the audit log, UTC.';
comment on column coverage.last_at is 'Last scrape within the span of the audit log, UTC.';
comment on column coverage.counted_requests is 'Requests that the counter gained between the two.';
comment on column coverage.audited_requests is 'Requests in the audit log that ended between the two.';
comment on column coverage.audited_share is 'Their ratio; above 1 where the counter missed some (scrapes fail under overload).';
