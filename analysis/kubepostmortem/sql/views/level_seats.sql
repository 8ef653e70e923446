-- One row per cluster and priority level with queues: its seats, and the most that one request may take.
create or replace view level_seats as
with nominal as (
    select cluster, labels['priority_level'] as priority_level, max(value) as seats
    from metric_series
    join metric_samples using (series_id)
    where metric = 'apiserver_flowcontrol_nominal_limit_seats' and isfinite(value)
    group by all
)
select
    nominal.cluster, priority_level, seats::integer as nominal_seats,
    -- 15 % of the seats, and a request must fit into one hand of queues. The default hand is 6.
    greatest(1, least(ceil(0.15 * nominal_seats), nominal_seats // coalesce(hand_size, 6)))::integer
        as max_seats
from nominal
left join priority_levels as levels
    on levels.cluster = nominal.cluster and levels.name = priority_level
where priority_level <> 'exempt'
    and coalesce(limit_response, if(priority_level = 'catch-all', 'Reject', 'Queue')) = 'Queue'
    and coalesce(type, 'Limited') = 'Limited';
comment on view level_seats is 'Seats of the priority levels that have queues, and the most that one request may take there.';
comment on column level_seats.cluster is 'Cluster.';
comment on column level_seats.priority_level is 'Priority level.';
comment on column level_seats.nominal_seats is 'Nominal seats on one API server (metric apiserver_flowcontrol_nominal_limit_seats).';
comment on column level_seats.max_seats is 'Most seats that the API server estimates for one request of the level.';
