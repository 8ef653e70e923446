-- One row per API server and sample: the processor time that it took since the sample before.
create or replace view apiserver_cpu as
with series as (
    select series_id, cluster, coalesce(labels['instance'], '') as instance
    from metric_series
    where metric = 'process_cpu_seconds_total'
        -- Every process has this metric; a scrape without a job is of an API server.
        and regexp_matches(coalesce(labels['job'], 'apiserver'), 'apiserver')
    -- Two Prometheis that scrape the same process would count it twice.
    qualify dense_rank() over (partition by cluster
        order by coalesce(labels['prometheus_replica'], labels['__replica__'], '')) = 1
)
select
    series.cluster, instance, sampled_at, elapsed_s, increase as cpu_s, rate as cores
from metric_rate
join series using (series_id)
where elapsed_s > 0;
comment on view apiserver_cpu is 'Processor time of API servers between samples of process_cpu_seconds_total.';
comment on column apiserver_cpu.cluster is 'Cluster.';
comment on column apiserver_cpu.instance is 'API server; empty where the export does not tell.';
comment on column apiserver_cpu.sampled_at is 'Time of the later sample, UTC.';
comment on column apiserver_cpu.elapsed_s is 'Seconds since the sample before.';
comment on column apiserver_cpu.cpu_s is 'Processor seconds taken since then.';
comment on column apiserver_cpu.cores is 'Cores in use on average since then.';
