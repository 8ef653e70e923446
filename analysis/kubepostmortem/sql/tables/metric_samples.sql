-- One row per sample of a time series.
create table if not exists metric_samples (
    series_id bigint not null,
    sampled_at timestamp not null,
    value double
);
comment on table metric_samples is 'One row per sample of a time series.';
comment on column metric_samples.series_id is 'Series: metric_series.series_id.';
comment on column metric_samples.sampled_at is 'Time of the sample, UTC.';
comment on column metric_samples.value is 'Value; may be NaN or infinite as in Prometheus.';
