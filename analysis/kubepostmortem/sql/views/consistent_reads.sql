-- One row per cluster: lists of the most recent state by where they were served from.
create or replace view consistent_reads as
with gains as (
    select
        cluster, labels['fallback'] = 'true' as fell_back,
        -- A counter that went down was reset: what it shows has been counted since.
        value - if(value < lag(value) over one, 0, lag(value) over one) as gained
    from metric_series
    join metric_samples using (series_id)
    where metric = 'apiserver_watch_cache_consistent_read_total' and isfinite(value)
    window one as (partition by series_id order by sampled_at)
)
select
    cluster,
    coalesce(sum(gained) filter (not fell_back), 0)::bigint as from_cache,
    coalesce(sum(gained) filter (fell_back), 0)::bigint as from_etcd
from gains
group by cluster
order by cluster;
comment on view consistent_reads is 'Lists of the most recent state in the export, as apiserver_watch_cache_consistent_read_total counts them: of the watch cache, and those that fell back to etcd.';
comment on column consistent_reads.cluster is 'Cluster.';
comment on column consistent_reads.from_cache is 'Lists served from the watch cache.';
comment on column consistent_reads.from_etcd is 'Lists that went to etcd after all.';
