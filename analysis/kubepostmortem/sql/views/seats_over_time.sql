-- One row per cluster, API server, priority level and sample time: its seats, queues and refusals.
create or replace view seats_over_time as
with named as (
    select
        *, metric[23:] as what,  -- without apiserver_flowcontrol_
        gained / nullif(epoch(sampled_at - since_at), 0) as per_second
    from flow_control_samples
    where priority_level is not null
)
select
    cluster, instance, priority_level, sampled_at,
    sum(value) filter (what = 'current_executing_seats') as seats_in_use,
    sum(value) filter (what = 'current_limit_seats') as limit_seats,
    sum(value) filter (what = 'nominal_limit_seats') as nominal_seats,
    sum(value) filter (what = 'current_inqueue_requests') as requests_waiting,
    sum(per_second) filter (what = 'rejected_requests_total') as refused_per_s,
    sum(per_second) filter (what = 'dispatched_requests_total') as dispatched_per_s,
    sum(gained) filter (what = 'request_wait_duration_seconds_sum')
        / nullif(sum(gained) filter (what = 'request_wait_duration_seconds_count'), 0)
        as mean_wait_s
from named
group by all
order by all;
comment on view seats_over_time is 'Seats, queues, dispatches and refusals of each priority level over time, by the metrics of API Priority and Fairness.';
comment on column seats_over_time.cluster is 'Cluster.';
comment on column seats_over_time.instance is 'API server; null where the export is a sum.';
comment on column seats_over_time.priority_level is 'Priority level.';
comment on column seats_over_time.sampled_at is 'Time of the sample, UTC.';
comment on column seats_over_time.seats_in_use is 'Seats taken (apiserver_flowcontrol_current_executing_seats); null: nothing of the level was executed yet, or not in the evidence.';
comment on column seats_over_time.limit_seats is 'Seats of the level after borrowing and lending (apiserver_flowcontrol_current_limit_seats); null before Kubernetes 1.26.';
comment on column seats_over_time.nominal_seats is 'Seats configured (apiserver_flowcontrol_nominal_limit_seats).';
comment on column seats_over_time.requests_waiting is 'Requests in queues (apiserver_flowcontrol_current_inqueue_requests); null: nothing waited yet, or not in the evidence.';
comment on column seats_over_time.refused_per_s is 'Requests refused per second since the sample before (apiserver_flowcontrol_rejected_requests_total); null: none was refused yet, or not in the evidence.';
comment on column seats_over_time.dispatched_per_s is 'Requests let through per second since the sample before (apiserver_flowcontrol_dispatched_requests_total).';
comment on column seats_over_time.mean_wait_s is 'Mean time in a queue, seconds, of requests that left one since the sample before, let through or not; null where none did.';
