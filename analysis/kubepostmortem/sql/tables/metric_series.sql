-- One row per time series.
create table if not exists metric_series (
    series_id bigint primary key,
    cluster varchar not null,
    metric varchar not null,
    labels map(varchar, varchar) not null,
    ingest_id integer not null
);
comment on table metric_series is 'One row per time series: a Prometheus metric name and a set of labels.';
comment on column metric_series.series_id is 'Number of the series; joins to metric_samples.';
comment on column metric_series.cluster is 'Cluster.';
comment on column metric_series.metric is 'Metric name, as in Prometheus.';
comment on column metric_series.labels is 'Labels, without the name; labels[''verb''] reads one.';
comment on column metric_series.ingest_id is 'File that first held the series: ingests.ingest_id.';
