-- One row per sample of what an API server says about its in-flight limits and flow control.
create or replace view flow_control_samples as
with series as (
    select
        series_id, cluster,
        -- Until 1.26 two of them had other names; for some releases both were exported.
        replace(replace(metric, 'request_concurrency_in_use', 'current_executing_seats'),
            'request_concurrency_limit', 'nominal_limit_seats') as metric,
        metric as exported_as, labels['instance'] as instance,
        labels['priority_level'] as priority_level, labels['flow_schema'] as flow_schema,
        labels['reason'] as reason, labels['request_kind'] as request_kind,
        coalesce(labels['prometheus_replica'], labels['__replica__'], '') as scraper,
        -- What one file gave: its series are labelled with the same names.
        array_to_string(list_sort(list_distinct(flatten(list(map_keys(labels)) over (
            partition by cluster, metric, scraper, ingest_id)))), ',') as label_names
    from metric_series
    where metric in (
            'apiserver_current_inflight_requests', 'apiserver_current_inqueue_requests',
            'apiserver_dropped_requests_total',
            'apiserver_flowcontrol_current_executing_seats',
            'apiserver_flowcontrol_request_concurrency_in_use',
            'apiserver_flowcontrol_current_limit_seats',
            'apiserver_flowcontrol_nominal_limit_seats',
            'apiserver_flowcontrol_request_concurrency_limit',
            'apiserver_flowcontrol_current_inqueue_requests',
            'apiserver_flowcontrol_dispatched_requests_total',
            'apiserver_flowcontrol_rejected_requests_total',
            'apiserver_flowcontrol_request_wait_duration_seconds_sum',
            'apiserver_flowcontrol_request_wait_duration_seconds_count')
        -- These run the same server library, and speak of themselves.
        and not regexp_matches(
            coalesce(labels['job'], ''), 'controller-manager|scheduler|kubelet|metrics-server')
),
counts as (
    select series_id, count(*) as samples
    from metric_samples
    semi join series using (series_id)
    where isfinite(value)
    group by series_id
),
chosen as (
    -- One thing may be exported twice (raw and summed, by two Prometheis, under two names): the
    -- export with the most samples stands for all.
    select cluster, metric, exported_as, scraper, label_names
    from series
    join counts using (series_id)
    group by cluster, metric, exported_as, scraper, label_names
    qualify row_number() over (
        partition by cluster, metric
        order by sum(samples) desc, exported_as = metric desc, label_names, scraper) = 1
),
kept as materialized (
    select
        series_id, cluster, metric, instance, priority_level, flow_schema, reason, request_kind,
        samples, dense_rank() over (order by cluster, instance) as target,
        regexp_matches(metric, '_(total|sum|count)$') as is_counter
    from series
    join counts using (series_id)
    join chosen using (cluster, metric, exported_as, scraper, label_names)
),
scrapes as (
    -- The series with the most samples tells when the server was scraped.
    select target, sampled_at, lag(sampled_at) over (
        partition by target order by sampled_at) as scraped_before_at
    from (select target, arg_max(series_id, (samples, -series_id)) as series_id
        from kept group by target)
    join metric_samples using (series_id)
),
neighbours as (
    select
        series_id, sampled_at, value,
        lag(sampled_at) over series as counted_before_at, lag(value) over series as before
    from metric_samples
    semi join kept using (series_id)
    where isfinite(value)
    window series as (partition by series_id order by sampled_at)
)
select
    cluster, metric, instance, priority_level, flow_schema, reason, request_kind, sampled_at, value,
    coalesce(counted_before_at, scraped_before_at) as since_at,
    case
        when not is_counter then null
        -- A series that turns up after the server was scraped before counts from zero.
        when before is null then if(scraped_before_at is null, 0, value)
        -- A restarted server counts from zero; a sum falls by the part of the server that left it.
        when instance is null and value < before and value > before / 10 then 0
        when value < before then value
        else value - before
    end as gained
from neighbours
join kept using (series_id)
left join scrapes using (target, sampled_at);
comment on view flow_control_samples is 'Samples of the in-flight limits and of API Priority and Fairness, under their present names. Of several exports of one metric the one with the most samples counts; counters come with their gains, resets count from zero.';
comment on column flow_control_samples.cluster is 'Cluster.';
comment on column flow_control_samples.metric is 'Metric name, as in present releases.';
comment on column flow_control_samples.instance is 'API server; null where the export is a sum.';
comment on column flow_control_samples.priority_level is 'Priority level; null where the metric has none.';
comment on column flow_control_samples.flow_schema is 'Flow schema; null where the metric has none.';
comment on column flow_control_samples.reason is 'Reason of rejected requests: queue-full, concurrency-limit, time-out or cancelled.';
comment on column flow_control_samples.request_kind is 'readOnly or mutating; null where the metric has none.';
comment on column flow_control_samples.sampled_at is 'Time of the sample, UTC.';
comment on column flow_control_samples.value is 'Value.';
comment on column flow_control_samples.since_at is 'Time of the sample before, UTC; for the first sample of a series the scrape before of the same API server.';
comment on column flow_control_samples.gained is 'Gain of a counter since then; null for gauges.';
