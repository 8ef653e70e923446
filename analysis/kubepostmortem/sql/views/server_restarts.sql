-- One row per start of an API server that its metrics show within or after the overload.
create or replace view server_restarts as
with starts as (
    select distinct
        cluster, coalesce(labels['instance'], '') as instance, to_timestamp(value)::timestamp as started_at
    from metric_series
    join metric_samples using (series_id)
    where metric = 'process_start_time_seconds' and isfinite(value) and value > 0
        and regexp_matches(coalesce(labels['job'], 'apiserver'), 'apiserver')
)
select starts.*
from starts
join incident using (cluster)
where time_window = 'overload' and started_at >= begins_at
order by started_at, cluster, instance;
comment on view server_restarts is 'API servers that started within or after the overload, by process_start_time_seconds: restarted ones and ones that were added.';
comment on column server_restarts.cluster is 'Cluster.';
comment on column server_restarts.instance is 'API server, as scraped.';
comment on column server_restarts.started_at is 'When it started, UTC.';
