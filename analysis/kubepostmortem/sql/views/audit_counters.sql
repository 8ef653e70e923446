-- One row per cluster and counter of audit events: what the API servers say about their own log.
create or replace view audit_counters as
with spans as (
    select cluster, metric, min(sampled_at) as first_at, max(sampled_at) as last_at,
        to_seconds(median(epoch(sampled_at - since_at))::bigint + 1) as step
    from counter_gains
    join intervals using (cluster)
    where starts_with(metric, 'apiserver_audit_') and sampled_at between begins_at and ends_at
    group by all
),
logged as (
    select spans.cluster, metric, sum(events)::bigint as logged_events
    from spans
    join audit_seconds
        on audit_seconds.cluster = spans.cluster
        and second_at >= first_at - step and second_at <= last_at + step
    group by all
)
select
    counter_gains.cluster, metric, first_at, last_at,
    case metric
        when 'apiserver_audit_level_total' then labels['level']
        when 'apiserver_audit_error_total' then labels['plugin']
    end as detail,
    sum(gained) as counted,
    any_value(logged_events) as logged_events
from counter_gains
join spans using (cluster, metric)
left join logged using (cluster, metric)
where sampled_at > first_at and sampled_at <= last_at
group by all
order by all;
comment on view audit_counters is 'What the API servers count of their own audit log over the span of it: events, errors of the backend, requests refused, and levels of the policy.';
comment on column audit_counters.cluster is 'Cluster.';
comment on column audit_counters.metric is 'Counter, as in Prometheus.';
comment on column audit_counters.first_at is 'First scrape within the span of the audit log, UTC.';
comment on column audit_counters.last_at is 'Last scrape within the span of the audit log, UTC.';
comment on column audit_counters.detail is 'Level of apiserver_audit_level_total, plugin of apiserver_audit_error_total.';
comment on column audit_counters.counted is 'Gain between the two.';
comment on column audit_counters.logged_events is 'Audit events in the log meanwhile, with one scrape more at either end.';
