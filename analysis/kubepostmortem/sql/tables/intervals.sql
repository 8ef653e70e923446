-- One row per cluster: the span of its requests, and the intervals that its load is counted in.
create or replace table intervals (
    cluster varchar not null,
    begins_at timestamp not null,
    ends_at timestamp not null,
    interval_s integer not null,
    rollup_s integer not null,
    requests bigint not null,
    stages bigint not null
);
comment on table intervals is 'Per cluster: the span of its requests, and the intervals that its load is counted in. Filled when an ingest ends.';
comment on column intervals.cluster is 'Cluster.';
comment on column intervals.begins_at is 'First request, UTC.';
comment on column intervals.ends_at is 'Last request, UTC.';
comment on column intervals.interval_s is 'Width of one interval of charts and change points, seconds: the finest round width that divides the span into at most 240.';
comment on column intervals.rollup_s is 'Width of one interval of load_rollup, seconds: interval_s, at most 10.';
comment on column intervals.requests is 'Requests in the rollup.';
comment on column intervals.stages is 'Sum of their stages_seen: any further event of a known request makes it larger.';
