-- The series that the database does not know yet.
insert into metric_series by name
select
    coalesce((select max(series_id) from metric_series), 0) + row_number() over (order by series)
        as series_id,
    $cluster as cluster, metric, labels, $ingest_id::integer as ingest_id
from (
    select min(series) as series, metric, map_from_entries(labels) as labels
    from arriving_series
    group by metric, map_from_entries(labels)
) as arriving
anti join (from metric_series where cluster = $cluster) as known using (metric, labels)
