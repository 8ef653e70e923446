-- One row per cluster and priority level that metrics name: its seats.
create or replace view level_limits as
with limits as (
    select
        cluster, labels['priority_level'] as priority_level,
        metric = 'apiserver_flowcontrol_current_limit_seats' as is_current,
        -- What nominal limits were called before Kubernetes 1.26.
        metric = 'apiserver_flowcontrol_request_concurrency_limit' as is_old,
        series_id, sampled_at, try_cast(value as integer) as seats,
        abs(epoch(sampled_at - begins_at)) as far_s
    from metric_series
    join metric_samples using (series_id)
    left join intervals using (cluster)
    where metric in (
            'apiserver_flowcontrol_nominal_limit_seats',
            'apiserver_flowcontrol_request_concurrency_limit',
            'apiserver_flowcontrol_current_limit_seats')
        and labels['priority_level'] is not null
        and isfinite(value) and value >= 0
        -- These run the same server library, and limit requests to themselves.
        and not regexp_matches(
            coalesce(labels['job'], ''), 'controller-manager|scheduler|kubelet|metrics-server')
)
select
    cluster, priority_level,
    coalesce(
        quantile_disc(seats, 0.5) filter (not is_current and not is_old),
        quantile_disc(seats, 0.5) filter (is_old)) as nominal_seats,
    min(seats) filter (not is_current) as least_nominal_seats,
    max(seats) filter (not is_current) as most_nominal_seats,
    first(seats order by far_s, series_id) filter (is_current) as first_seats,
    first(sampled_at order by far_s, series_id) filter (is_current) as first_at,
    min(far_s) filter (is_current) as far_s
from limits
group by cluster, priority_level
order by cluster, priority_level;
comment on view level_limits is 'Seats of the priority levels on one API server, as metrics tell them: nominal limits, and the limits in force when the log begins.';
comment on column level_limits.cluster is 'Cluster.';
comment on column level_limits.priority_level is 'Priority level.';
comment on column level_limits.nominal_seats is 'Nominal seats: the median of all samples; null: only the current limit is told.';
comment on column level_limits.least_nominal_seats is 'Fewest nominal seats of any sample: fewer than the most where shares, the limit of the server or API servers differ.';
comment on column level_limits.most_nominal_seats is 'Most nominal seats of any sample.';
comment on column level_limits.first_seats is 'Seats after lending and borrowing, in the sample nearest to the begin of the audit log.';
comment on column level_limits.first_at is 'Time of that sample, UTC.';
comment on column level_limits.far_s is 'Seconds between that sample and the begin of the audit log; null: there is no audit log.';
