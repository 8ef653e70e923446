-- One row per window, resource and operation: what etcd had to do for it.
create or replace view storage_load as
with chosen as (
    -- Two Prometheis that scrape the same server would count twice; the histogram is the older one.
    select series_id, cluster, metric, labels
    from metric_series
    where metric in ('etcd_requests_total', 'etcd_request_duration_seconds_count')
    qualify dense_rank() over (partition by cluster order by metric desc) = 1
        and dense_rank() over (partition by cluster, metric
            order by coalesce(labels['prometheus_replica'], labels['__replica__'], '')) = 1
),
steps as (
    select
        chosen.cluster, chosen.series_id,
        if(regexp_matches(chosen.labels['operation'], '^(create|update|delete)'), 'write', 'read')
            as operation,
        coalesce(chosen.labels['group'], '') as api_group,
        -- Older servers name the type: /registry/pods, *core.Pod.
        regexp_extract(coalesce(chosen.labels['resource'], chosen.labels['type']), '([^/.]+)$', 1)
            as resource,
        sampled_at, increase, elapsed_s
    from chosen
    join metric_rate using (series_id)
    where chosen.labels['operation'] is not null
),
by_series as (
    select
        steps.cluster, time_window, series_id, operation, api_group, resource,
        sum(increase) / nullif(sum(elapsed_s), 0) as per_s
    from steps
    join incident
        on incident.cluster = steps.cluster and sampled_at >= begins_at and sampled_at < ends_at
    group by all
),
counted as (
    select
        cluster, time_window, 'metric of the API server' as counted_by, operation, api_group,
        resource, sum(per_s) as requests_per_s
    from by_series
    where resource <> ''
    group by all
    union all
    select
        requests.cluster, time_window, 'audit log', 'write', coalesce(api_group, ''), resource,
        count(*) / any_value(epoch(ends_at - begins_at))
    from requests
    join incident
        on incident.cluster = requests.cluster
        and received_at >= begins_at and received_at < ends_at
    where verb in ('create', 'update', 'patch', 'delete', 'deletecollection')
        and code < 300 and not dry_run and resource is not null
        -- Answers that are stored nowhere.
        and api_group not in ('authentication.k8s.io', 'authorization.k8s.io')
        and coalesce(subresource, '') not in ('token', 'exec', 'attach', 'portforward', 'proxy')
    group by requests.cluster, time_window, api_group, resource
)
select
    cluster, time_window, counted_by, operation, api_group, resource,
    case
        when resource = 'events' or lower(resource) = 'event' then 'events'
        when resource = 'leases' or lower(resource) = 'lease' then 'leases'
        when api_group like '%.%' and api_group not like '%.k8s.io' then api_group
        else 'built-in resources'
    end as store,
    requests_per_s,
    requests_per_s / nullif(sum(requests_per_s) over (
        partition by cluster, time_window, counted_by, operation), 0) as share
from counted
where requests_per_s > 0
order by cluster, counted_by desc, operation desc, time_window, requests_per_s desc, resource, api_group;
comment on view storage_load is 'Reads and writes of etcd by resource in the two windows: by the API server''s own counter, and writes that the audit log shows accepted. What a store of its own would take off.';
comment on column storage_load.cluster is 'Cluster.';
comment on column storage_load.time_window is 'baseline or overload.';
comment on column storage_load.counted_by is 'metric of the API server (etcd_requests_total, else the count of etcd_request_duration_seconds), or audit log.';
comment on column storage_load.operation is 'read or write; the audit log tells of writes alone, since it does not say what a read took from etcd.';
comment on column storage_load.api_group is 'API group; empty for the core group.';
comment on column storage_load.resource is 'Resource; older servers count by type.';
comment on column storage_load.store is 'The store of its own that it could have: events, leases, or the API group of custom resources; else built-in resources.';
comment on column storage_load.requests_per_s is 'Requests to etcd, or accepted writes, per second.';
comment on column storage_load.share is 'Its part of all reads, or of all writes, in the window.';
