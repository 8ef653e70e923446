-- One row per limit that the API server's own counters show, and one where there are none.
create or replace view limits_of_counters as
with summed as materialized (
    select cluster, min(sampled_at) as began_at, max(sampled_at) as ended_at
    from counter_gains
    where metric = 'apiserver_request_total' and loses_a_server
    group by cluster
),
covered as materialized (
    select cluster, 'the whole log' as subject, min(first_at) as began_at, max(last_at) as ended_at,
        sum(counted_requests) as counted, sum(audited_requests) as audited,
        sum(audited_nearby) as nearby
    from coverage_by_request
    group by cluster
    having counted > 0
    union all
    select cluster, 'the ' || time_window, first_at, last_at, counted_requests, audited_requests,
        audited_nearby
    from coverage_by_window
    where counted_requests > 0
),
levels as (
    select cluster, min(first_at) as began_at, max(last_at) as ended_at, sum(counted) as requests,
        coalesce(sum(counted) filter (detail = 'None'), 0) as unlogged
    from audit_counters
    where metric = 'apiserver_audit_level_total'
    group by cluster
),
events as materialized (
    select cluster, first_at as began_at, last_at as ended_at, logged_events,
        sum(counted) filter (metric = 'apiserver_audit_event_total') over whole as generated,
        metric, detail, counted
    from audit_counters
    window whole as (partition by cluster)
)
select
    cluster, 'no request counter' as limit_kind, 'weakens' as severity, 'requests' as subject,
    null::timestamp as began_at, null::timestamp as ended_at, null::double as share,
    'No request counter (apiserver_request_total) covers the time of the audit log, so it is '
        'unknown what the log omits.' as says
from intervals
anti join (from covered where subject = 'the whole log') using (cluster)
union all
select
    cluster, 'summed counter', 'info', 'apiserver_request_total', began_at, ended_at, null,
    'The request counter was exported as a sum over API servers, and one of them left it: what was '
        'counted around then is not known.'
from summed
union all
select
    cluster, 'low coverage',
    case
        when cluster in (select cluster from summed) then 'info'
        when nearby < 0.5 * counted then 'blinds'
        else 'weakens'
    end,
    subject, began_at, ended_at, audited / counted,
    format('The audit log shows {} of the {:,} requests that the API server counted in {}.',
        in_percent(audited / counted), counted::bigint, subject)
from covered
-- Granted that every request within a scrape of the edges belongs to it; few requests prove nothing.
where nearby < 0.9 * counted and counted >= 50
union all
select
    cluster, 'policy hole',
    case
        when resource is null and contains(verb, ' and ') then 'blinds'
        when cluster in (select cluster from summed) then 'info'
        when share_of_requests >= 0.3 then 'blinds'
        when share_of_requests >= 0.01 then 'weakens'
        else 'info'
    end,
    concat_ws(' ', verb, resource), null, null, audited_share,
    if(resource is null and contains(verb, ' and '),
        format('The audit log has no {} at all; likely {}.', replace(verb, ' and ', ' or '),
            likely_reason),
        format('The audit log shows {} of {:,} {} requests for {}; likely {}.',
            if(audited_requests = 0, 'none', in_percent(audited_share)), counted_requests::bigint,
            coalesce(verb, 'all'), coalesce(resource, 'all resources'), likely_reason))
from policy_holes
union all
select
    cluster, 'level None', if(unlogged < 0.5 * requests, 'info', 'weakens'), 'audit policy',
    began_at, ended_at, unlogged / requests,
    format('By apiserver_audit_level_total the policy leaves out {} of all requests (level None); '
        'probes of the health of the API server are often among them.',
        in_percent(unlogged / requests))
from levels
where unlogged >= 0.05 * requests and unlogged >= 50
union all
select
    cluster, 'lost events', if(logged_events < 0.5 * counted, 'blinds', 'weakens'), 'audit events',
    began_at, ended_at, logged_events / counted,
    format('The log holds {:,} of the {:,} audit events that the API server produced ({}): some '
        'were lost on the way.', logged_events, counted::bigint,
        in_percent(logged_events / counted))
from events
where metric = 'apiserver_audit_event_total' and counted >= 50 and logged_events < 0.9 * counted
union all
select
    cluster, 'backend errors', if(counted < 0.01 * generated, 'info', 'weakens'),
    coalesce(detail, 'audit backend'), began_at, ended_at, counted / generated,
    format('The audit backend ({}) failed on {:,} events by apiserver_audit_error_total.',
        coalesce(detail, 'no plugin named'), counted::bigint)
from events
where metric = 'apiserver_audit_error_total' and counted > 0
union all
select
    cluster, 'refused for audit', 'info', 'requests', began_at, ended_at, null,
    format('The API server refused {:,} requests because it could not audit them '
        '(apiserver_audit_requests_rejected_total).', counted::bigint)
from events
where metric = 'apiserver_audit_requests_rejected_total' and counted > 0;
comment on view limits_of_counters is 'Part of evidence_limits: where the audit log falls short of what the API server counted, or nothing was counted.';
