-- One row per start of a DNS process that its metrics show.
create or replace view dns_restarts as
with series as (
    select series_id, cluster, metric, coalesce(labels['instance'], labels['pod'], '') as server
    from metric_series
    where metric in ('process_start_time_seconds', 'process_cpu_seconds_total')
        and is_dns_process(labels)
),
samples as (
    select
        series.*, sampled_at, value,
        lag(sampled_at) over one as since_at,
        lag(value) over one as before
    from series
    join metric_samples using (series_id)
    where isfinite(value) and value > 0
    window one as (partition by series_id order by sampled_at)
),
starts as (
    select
        cluster, server, 'start time' as known_by,
        to_timestamp(value)::timestamp as not_before_at, not_before_at as not_after_at
    from samples
    where metric = 'process_start_time_seconds' and value is distinct from before
    union all by name
    select
        cluster, server, 'counter reset' as known_by,
        since_at as not_before_at, sampled_at as not_after_at
    from samples
    where metric = 'process_cpu_seconds_total' and value < before
)
select distinct cluster, server, known_by, not_before_at, not_after_at
from starts
-- The start time is exact: where it is known, resets say nothing more.
qualify known_by = 'start time' or not bool_or(known_by = 'start time') over (partition by cluster, server)
order by not_after_at, cluster, server;
comment on view dns_restarts is 'Starts of DNS processes, by process_start_time_seconds or else by resets of process_cpu_seconds_total.';
comment on column dns_restarts.cluster is 'Cluster.';
comment on column dns_restarts.server is 'DNS server, as scraped.';
comment on column dns_restarts.known_by is 'start time (exact) or counter reset (between two samples).';
comment on column dns_restarts.not_before_at is 'It started at this time or later, UTC.';
comment on column dns_restarts.not_after_at is 'It started at this time or earlier, UTC.';
