-- One row per cluster, API server, kind of request and sample time: requests in flight and their limit.
create or replace view in_flight_over_time as
with limits as (
    select
        cluster,
        if(setting = 'max-requests-inflight', 'readOnly', 'mutating') as request_kind,
        -- 0 means without a limit.
        nullif(max(try_cast(value as integer)), 0) as in_flight_limit
    from apiserver_config
    where setting in ('max-requests-inflight', 'max-mutating-requests-inflight')
    group by all
)
select
    cluster, instance, request_kind, sampled_at,
    sum(value) filter (metric = 'apiserver_current_inflight_requests') as in_flight,
    sum(value) filter (metric = 'apiserver_current_inqueue_requests') as queued,
    any_value(in_flight_limit) as in_flight_limit
from flow_control_samples
left join limits using (cluster, request_kind)
where metric in ('apiserver_current_inflight_requests', 'apiserver_current_inqueue_requests')
group by all
order by all;
comment on view in_flight_over_time is 'Requests in flight over time, read-only and mutating, with the limit that flags set for each kind.';
comment on column in_flight_over_time.cluster is 'Cluster.';
comment on column in_flight_over_time.instance is 'API server; null where the export is a sum.';
comment on column in_flight_over_time.request_kind is 'readOnly (get, list, watch) or mutating.';
comment on column in_flight_over_time.sampled_at is 'Time of the sample, UTC.';
comment on column in_flight_over_time.in_flight is 'Most requests executed at once within the last second (apiserver_current_inflight_requests).';
comment on column in_flight_over_time.queued is 'Most requests queued at once within the last second (apiserver_current_inqueue_requests); null without API Priority and Fairness.';
comment on column in_flight_over_time.in_flight_limit is 'Flag --max-requests-inflight or --max-mutating-requests-inflight of one API server; null: not in the evidence, or no limit. With API Priority and Fairness only the sum of both is a limit.';
