-- One row per cluster: its span, and the interval that charts and change points count load in.
create or replace view intervals as
-- The finest round width that divides the span into at most 240 parts.
select
    cluster, begins_at, ends_at,
    coalesce((
        select min(width) from unnest([1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800]) as widths(width)
        where width * 240 >= epoch(ends_at - begins_at)
    ), 3600 * ceil(epoch(ends_at - begins_at) / 3600 / 240))::integer as interval_s
from (
    select cluster, min(received_at) as begins_at, max(received_at) as ends_at
    from requests
    group by cluster
);
comment on view intervals is 'Per cluster: the span of its requests, and the interval that charts and change points count load in (at most 240 of them).';
comment on column intervals.cluster is 'Cluster.';
comment on column intervals.begins_at is 'First request, UTC.';
comment on column intervals.ends_at is 'Last request, UTC.';
comment on column intervals.interval_s is 'Width of one interval, seconds.';
