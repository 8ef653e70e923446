-- The samples that the database does not know yet: one per series and instant, the first one counts.
insert into metric_samples by name
select series_id, sampled_at, arg_min(value, arriving.rowid) as value
from arriving_samples as arriving
join (
    select arriving_series.series, known.series_id
    from arriving_series
    join metric_series as known
        on known.metric = arriving_series.metric
        and known.labels = map_from_entries(arriving_series.labels)
    where known.cluster = $cluster
) as numbers using (series)
anti join metric_samples as known using (series_id, sampled_at)
group by series_id, sampled_at
