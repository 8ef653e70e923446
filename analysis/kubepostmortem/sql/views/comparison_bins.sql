-- One row per bin that attribution counts load in: when it is, and how many nodes there were.
create or replace view comparison_bins as
with numbered as (
    select *, unnest(range(bins)) as place from comparison
),
bins as (
    select
        first_bin + place as bin, cluster, time_span,
        begins_at + to_seconds(place * bin_s) as begins_at,
        least(begins_at + to_seconds((place + 1) * bin_s), ends_at) as ends_at
    from numbered
)
select
    bin, bins.cluster, time_span, bins.begins_at, bins.ends_at,
    epoch(bins.ends_at - bins.begins_at) as width_s,
    count(*) filter (not joined_after_baseline) as nodes_before,
    count(*) filter (joined_after_baseline and first_at < bins.ends_at) as nodes_joined
from bins
left join new_nodes using (cluster)
group by all
order by bin;
comment on view comparison_bins is 'Bins that attribution counts load in (see comparison), with the nodes that were there in the baseline and those that have joined since.';
comment on column comparison_bins.bin is 'Number of the bin, over all clusters.';
comment on column comparison_bins.cluster is 'Cluster.';
comment on column comparison_bins.time_span is 'baseline, gap or overload.';
comment on column comparison_bins.begins_at is 'Begin, UTC.';
comment on column comparison_bins.ends_at is 'End, UTC, exclusive.';
comment on column comparison_bins.width_s is 'Length, seconds.';
comment on column comparison_bins.nodes_before is 'Nodes of the cluster that called the API server, without those that joined after the baseline.';
comment on column comparison_bins.nodes_joined is 'Nodes that joined after the baseline and had called by the end of the bin.';
