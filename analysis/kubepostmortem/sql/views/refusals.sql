-- One row per cluster, window, flow schema, priority level and outcome: requests let through or refused.
create or replace view refusals as
with gains as materialized (
    select cluster, flow_schema, priority_level, request_kind, reason, metric, sampled_at, gained
    from flow_control_samples
    where metric in (
        'apiserver_dropped_requests_total', 'apiserver_flowcontrol_dispatched_requests_total',
        'apiserver_flowcontrol_rejected_requests_total')
),
flows as (
    select
        cluster, flow_schema, priority_level, null::varchar as request_kind, sampled_at,
        coalesce(reason, 'executed') as outcome, gained
    from gains
    where metric <> 'apiserver_dropped_requests_total'
),
switched as (
    select cluster, bool_or(
        setting = 'enable-priority-and-fairness' and not coalesce(try_cast(value as boolean), true)
        or setting = 'feature-gates' and not feature_gate(value, 'APIPriorityAndFairness', true)
    ) as off
    from apiserver_config
    group by cluster
),
unfair as (
    -- Clusters where no flow schema speaks for a refusal: fairness is off, or was not measured.
    select cluster, coalesce(off, false) as off
    from (select distinct cluster from metric_series)
    left join switched using (cluster)
    where off or cluster not in (select cluster from metric_series
        where starts_with(metric, 'apiserver_flowcontrol_'))
),
counters as (
    select
        cluster, sampled_at, gained, metric, labels['code'] as code,
        if(labels['verb'] in ('GET', 'LIST', 'WATCH', 'HEAD'), 'readOnly', 'mutating')
            as request_kind
    from counter_gains
    where metric in ('apiserver_request_terminations_total', 'apiserver_request_total')
        -- The limits do not count what stays open for long.
        and (metric <> 'apiserver_request_total' or labels['verb'] not in ('WATCH', 'CONNECT'))
    union all
    select cluster, sampled_at, gained, metric, '429', request_kind
    from gains
    where metric = 'apiserver_dropped_requests_total'
        and cluster not in (select cluster from metric_series
            where metric = 'apiserver_request_terminations_total')
),
limited as (
    select
        cluster, null::varchar as flow_schema, null::varchar as priority_level, request_kind,
        sampled_at,
        case
            when metric = 'apiserver_request_total' then 'executed'
            when off then 'in-flight limit'
            else 'reason not known'
        end as outcome,
        gained
    from counters
    join unfair using (cluster)
    where (metric <> 'apiserver_request_total') = (code = '429')
)
select
    cluster, time_window, flow_schema, priority_level, request_kind, outcome,
    sum(gained) as requests
from (from flows union all by name from limited)
join incident using (cluster)
where sampled_at > begins_at and sampled_at <= ends_at
group by all
having requests > 0
order by all;
comment on view refusals is 'Requests of each window by what flow control did with them: executed, or refused and why; by the counters of the API servers.';
comment on column refusals.cluster is 'Cluster.';
comment on column refusals.time_window is 'baseline or overload.';
comment on column refusals.flow_schema is 'Flow schema; null without API Priority and Fairness.';
comment on column refusals.priority_level is 'Priority level; null without API Priority and Fairness.';
comment on column refusals.request_kind is 'readOnly or mutating, where there are no flow schemas; else null.';
comment on column refusals.outcome is 'executed; queue-full, concurrency-limit, time-out or cancelled (reasons of API Priority and Fairness); in-flight limit (API Priority and Fairness is off); or reason not known.';
comment on column refusals.requests is 'Requests that were counted so in the window. Without API Priority and Fairness: 429 by apiserver_request_terminations_total or apiserver_dropped_requests_total, all else by apiserver_request_total.';
