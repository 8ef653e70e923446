-- One row per metric of a process, instance and window: how an API server or an etcd member fared.
create or replace view process_health as
with series as (
    select
        series_id, cluster, metric, coalesce(labels['instance'], '') as instance,
        if(starts_with(metric, 'etcd_') and metric not like 'etcd\_request\_%' escape '\'
            or regexp_matches(coalesce(labels['job'], ''), 'etcd'), 'etcd', 'API server') as process
    from metric_series
    where metric in (
            'process_cpu_seconds_total', 'process_resident_memory_bytes',
            'process_start_time_seconds', 'process_open_fds', 'process_max_fds',
            'go_goroutines', 'go_sched_gomaxprocs_threads', 'up',
            'apiserver_tls_handshake_errors_total',
            'etcd_request_duration_seconds_sum', 'etcd_request_duration_seconds_count',
            'etcd_disk_wal_fsync_duration_seconds_sum',
            'etcd_disk_wal_fsync_duration_seconds_count',
            'etcd_server_has_leader', 'etcd_mvcc_db_total_size_in_bytes',
            'etcd_server_quota_backend_bytes')
        -- Every process has some of these; a scrape without a job is of an API server.
        and regexp_matches(coalesce(labels['job'], 'apiserver'), 'apiserver|etcd')
    -- Two Prometheis that scrape the same process would count it twice.
    qualify dense_rank() over (partition by cluster, metric
        order by coalesce(labels['prometheus_replica'], labels['__replica__'], '')) = 1
),
steps as (
    select
        series.* exclude (series_id), sampled_at, value,
        sampled_at - lag(sampled_at) over one as since,
        value < lag(value) over one as fell,
        value - if(value < lag(value) over one, 0, lag(value) over one) as increase
    from series
    join metric_samples using (series_id)
    where isfinite(value)
    window one as (partition by series_id order by sampled_at)
),
moments as (
    -- A metric may have many series, one per resource; a process is their sum.
    select
        cluster, metric, process, instance, sampled_at,
        sum(value) as value, sum(increase) as increase, max(epoch(since)) as elapsed_s,
        bool_or(fell) as fell
    from steps
    group by all
)
select
    moments.cluster, metric, process, instance, time_window,
    count(*) as samples,
    min(value) as least, avg(value) as mean, max(value) as most,
    sum(increase) as gained,
    sum(increase) / nullif(sum(elapsed_s), 0) as gained_per_s,
    quantile_cont(increase / nullif(elapsed_s, 0), 0.9) as gained_per_s_p90,
    count(*) filter (value = 0) as zeros,
    count(*) filter (fell) as falls
from moments
join incident
    on incident.cluster = moments.cluster
    and sampled_at >= begins_at and sampled_at < ends_at
group by all
order by moments.cluster, metric, process, instance, time_window;
comment on view process_health is 'Metrics of API servers and etcd in the baseline and the overload: what API Priority and Fairness cannot limit.';
comment on column process_health.cluster is 'Cluster.';
comment on column process_health.metric is 'Metric, as in Prometheus.';
comment on column process_health.process is 'API server or etcd. etcd_request_* are what an API server measures of etcd.';
comment on column process_health.instance is 'Instance; empty where the export does not tell.';
comment on column process_health.time_window is 'baseline or overload.';
comment on column process_health.samples is 'Times with a sample.';
comment on column process_health.least is 'Least value; of many series, of their sum.';
comment on column process_health.mean is 'Mean of the samples.';
comment on column process_health.most is 'Largest value.';
comment on column process_health.gained is 'Of counters: gain, a reset counted from zero.';
comment on column process_health.gained_per_s is 'Of counters: gain per second.';
comment on column process_health.gained_per_s_p90 is 'Of counters: gain per second between two samples, 90th percentile.';
comment on column process_health.zeros is 'Samples that are 0.';
comment on column process_health.falls is 'Samples that are less than the one before.';
