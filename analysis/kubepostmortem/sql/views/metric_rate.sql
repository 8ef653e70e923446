-- One row per sample of a counter: its rate since the sample before.
create or replace view metric_rate as
select
    cluster, metric, labels, series_id, sampled_at,
    epoch(sampled_at - lag(sampled_at) over series) as elapsed_s,
    -- A counter that went down was reset: what it shows has been counted since.
    case when value >= lag(value) over series then value - lag(value) over series else value end
        / nullif(elapsed_s, 0) as rate
from metric_samples
join metric_series using (series_id)
where regexp_matches(metric, '_(total|count|sum|bucket)$') and isfinite(value)
window series as (partition by series_id order by sampled_at)
qualify elapsed_s is not null;
comment on view metric_rate is 'Rates of counters between neighbouring samples, counter resets handled as Prometheus does.';
comment on column metric_rate.cluster is 'Cluster.';
comment on column metric_rate.metric is 'Metric name.';
comment on column metric_rate.labels is 'Labels of the series.';
comment on column metric_rate.series_id is 'Series.';
comment on column metric_rate.sampled_at is 'Time of the later sample, UTC.';
comment on column metric_rate.elapsed_s is 'Seconds since the sample before.';
comment on column metric_rate.rate is 'Increase per second since the sample before.';
