-- One row per sample of a counter: how much it gained since the sample before.
create or replace view metric_rate as
select
    cluster, metric, labels, series_id, sampled_at,
    epoch(sampled_at - lag(sampled_at) over series) as elapsed_s,
    -- A counter that went down was reset: what it shows has been counted since.
    case when value >= lag(value) over series then value - lag(value) over series else value end
        as increase,
    increase / nullif(elapsed_s, 0) as rate
from metric_samples
join metric_series using (series_id)
-- NaN is also the mark of a series that ended: as in Prometheus it is no value to count from.
where regexp_matches(metric, '_(total|count|sum|bucket)$') and isfinite(value)
window series as (partition by series_id order by sampled_at)
qualify elapsed_s is not null;
comment on view metric_rate is 'Increases and rates of counters between neighbouring samples; counter resets and marks of ended series handled as Prometheus does.';
comment on column metric_rate.cluster is 'Cluster.';
comment on column metric_rate.metric is 'Metric name.';
comment on column metric_rate.labels is 'Labels of the series.';
comment on column metric_rate.series_id is 'Series.';
comment on column metric_rate.sampled_at is 'Time of the later sample, UTC.';
comment on column metric_rate.elapsed_s is 'Seconds since the sample before; long where scrapes are missing.';
comment on column metric_rate.increase is 'Increase since the sample before.';
comment on column metric_rate.rate is 'Increase per second since the sample before.';
