-- One row per cluster and span that attribution compares: baseline, overload, and a gap between.
create or replace view comparison as
with windows as (
    select
        baseline.cluster,
        baseline.begins_at as baseline_at, baseline.ends_at as baseline_ends_at,
        overload.begins_at as overload_at, overload.ends_at as overload_ends_at
    from incident as baseline
    join incident as overload using (cluster)
    where baseline.time_window = 'baseline' and overload.time_window = 'overload'
),
spans as (
    select cluster, 1 as part, 'baseline' as time_span, baseline_at as begins_at,
        baseline_ends_at as ends_at from windows
    union all
    select cluster, 2, 'gap', baseline_ends_at, overload_at from windows
    where baseline_ends_at < overload_at
    union all
    select cluster, 3, 'overload', overload_at, overload_ends_at from windows
),
paced as (
    -- About 300 bins: enough to see when growth began, few enough for thousands of cells.
    select spans.*, rollup_s, rollup_s * greatest(1, ceil(
        sum(epoch(spans.ends_at - spans.begins_at)) over (partition by cluster)
        / 300 / rollup_s)) as bin_s
    from spans
    join intervals using (cluster)
)
select
    cluster, part, time_span, begins_at, ends_at, bin_s,
    ceil(epoch(ends_at - begins_at) / bin_s)::bigint as bins,
    coalesce(sum(bins) over (
        order by cluster, part rows between unbounded preceding and 1 preceding), 0)::bigint
        as first_bin
from paced
order by cluster, part;
comment on view comparison is 'Spans that attribution compares, in the order of its bins: per cluster the baseline, the gap before the overload if any, and the overload.';
comment on column comparison.cluster is 'Cluster.';
comment on column comparison.part is 'Order of the span within its cluster: 1 baseline, 2 gap, 3 overload.';
comment on column comparison.time_span is 'baseline, gap or overload.';
comment on column comparison.begins_at is 'Begin, UTC.';
comment on column comparison.ends_at is 'End, UTC, exclusive.';
comment on column comparison.bin_s is 'Length of a bin, seconds: a multiple of the rollup''s interval; the last bin of a span can be shorter.';
comment on column comparison.bins is 'Bins of the span.';
comment on column comparison.first_bin is 'Number of its first bin, counted over all clusters.';
