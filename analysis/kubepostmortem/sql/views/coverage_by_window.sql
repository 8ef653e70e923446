-- One row per cluster and window: requests in the audit log against the API server's own counter.
create or replace view coverage_by_window as
with spans as (
    select
        cluster, time_window, min(sampled_at) as first_at, max(sampled_at) as last_at,
        to_seconds(median(epoch(sampled_at - since_at))::bigint + 1) as step,
        bool_or(list_contains(label_names, 'resource')) as by_resource
    from counter_gains
    join incident using (cluster)
    where metric = 'apiserver_request_total' and sampled_at between begins_at and ends_at
    group by all
),
counted as (
    select cluster, time_window, sum(gained) as counted_requests
    from counter_gains
    join spans using (cluster)
    where metric = 'apiserver_request_total' and sampled_at > first_at and sampled_at <= last_at
        and (not by_resource or coalesce(labels['resource'], '') <> '')
    group by all
),
audited as (
    select
        spans.cluster, time_window,
        count(*) filter (finished_at > first_at and finished_at <= last_at) as audited_requests,
        count(*) as audited_nearby
    from spans
    join requests
        on requests.cluster = spans.cluster
        and finished_at > first_at - step and finished_at <= last_at + step
    where resource is not null or not by_resource
    group by all
)
select
    cluster, time_window, first_at, last_at, counted_requests,
    coalesce(audited_requests, 0) as audited_requests,
    coalesce(audited_nearby, 0) as audited_nearby,
    coalesce(audited_requests, 0) / nullif(counted_requests, 0) as audited_share
from spans
join counted using (cluster, time_window)
left join audited using (cluster, time_window)
order by cluster, first_at;
comment on view coverage_by_window is 'Requests in the audit log against apiserver_request_total within each window of the incident.';
comment on column coverage_by_window.cluster is 'Cluster.';
comment on column coverage_by_window.time_window is 'baseline or overload.';
comment on column coverage_by_window.first_at is 'First scrape within the window, UTC.';
comment on column coverage_by_window.last_at is 'Last scrape within the window, UTC.';
comment on column coverage_by_window.counted_requests is 'Requests that the counter gained between the two.';
comment on column coverage_by_window.audited_requests is 'Requests in the audit log that ended between the two.';
comment on column coverage_by_window.audited_nearby is 'The same with one scrape more at either end: what edges of scrapes can explain.';
comment on column coverage_by_window.audited_share is 'Audited of counted.';
