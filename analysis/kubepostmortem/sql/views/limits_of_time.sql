-- One row per limit that the audit log itself shows: silences, ceilings, clocks, stages, windows.
create or replace view limits_of_time as
with unequal as (
    -- Zero outside of the bounds: how far at least.
    select *, case when least_ms > 0 and most_ms > 0 then least(least_ms, most_ms)
        when least_ms < 0 and most_ms < 0 then greatest(least_ms, most_ms) else 0 end as skew_ms
    from clock_skew
)
select
    cluster, 'log gap' as limit_kind,
    case
        when place <> 'inside' then 'info'
        when starts_with(meaning, 'events are missing') then 'weakens'
        when contains(meaning, 'went on logging') then 'weakens'
        else 'info'
    end as severity,
    apiserver as subject, began_at, ended_at, null::double as share,
    format('{} logged nothing for {:,} s from {}{}; {}.',
        coalesce(nullif(apiserver, ''), 'The API server'), silent_s::bigint, in_utc(began_at),
        if(place = 'inside', '', format(', {}', place)), meaning) as says
from audit_gaps
union all
select
    cluster, 'sink plateau',
    if(at_webhook_default or audited_share is not null, 'weakens', 'info'), apiserver, began_at,
    ended_at, audited_share,
    format('{} logged an even {:,} events per second from {} to {}{}: a full sink drops the rest{}.',
        coalesce(nullif(apiserver, ''), 'The API server'), events_per_s::bigint, in_utc(began_at),
        in_utc(ended_at),
        if(at_webhook_default, ', what the webhook backend sends at most by default', ''),
        if(audited_share is null, '', format(', here all but {}', in_percent(audited_share))))
from sink_plateaus
union all
select
    cluster, 'clock skew', if(abs(skew_ms) < 1000, 'info', 'weakens'), other_apiserver, null, null,
    null,
    format('The clock of {} is at least {:,} ms {} that of {}, by {} that both logged.',
        other_apiserver, abs(skew_ms)::bigint, if(skew_ms > 0, 'ahead of', 'behind'), apiserver,
        how_many(shared_requests, 'request', 'requests'))
from unequal
-- A tenth of a second moves no onset.
where abs(skew_ms) > 100
union all
select
    cluster, 'omitted stage', if(stage = 'ResponseComplete', 'blinds', 'info'), stage, null, null,
    logged_share,
    case stage
        when 'RequestReceived' then 'The log omits the stage RequestReceived: requests that were in '
            'flight when an API server died are not in it.'
        when 'ResponseStarted' then 'The log omits the stage ResponseStarted: watches are in it only '
            'once they have ended.'
        else 'The log omits the stage ResponseComplete: codes and durations are not known.'
    end
from audit_stages
where omitted
union all
select
    cluster, 'open requests', 'info', stage, null, null, open_requests / expected_requests,
    format('{} not ended when the log did, streams aside: in flight at a crash, or the tail of the '
        'log is missing.', how_many(open_requests, 'request had', 'requests had'))
from audit_stages
where open_requests > 0 and not omitted
union all
select
    incident.cluster, 'window not covered', 'weakens', time_window, incident.begins_at,
    incident.ends_at, null,
    format('The {} lies partly or wholly outside of the audit log, which has requests from {} to {}.',
        time_window, in_utc(intervals.begins_at), in_utc(intervals.ends_at))
from incident
join intervals using (cluster)
-- Windows are whole intervals, so they may stand out by one.
where incident.begins_at < intervals.begins_at - to_seconds(interval_s)
    or incident.ends_at > intervals.ends_at + to_seconds(interval_s);
comment on view limits_of_time is 'Part of evidence_limits: silences, ceilings, clocks, stages and windows of the audit log.';
