-- One row per silence in the log of one API server that its own pace does not explain.
create or replace view audit_gaps as
with seconds as (
    select cluster, apiserver, second_at, true as logged from audit_seconds
    union all
    -- While others log, an API server that has not begun or has stopped is silent.
    select cluster, apiserver, edge_at, false
    from (
        select *, min(own_first) over (partition by cluster) - interval 1 second as first_at,
            max(own_last) over (partition by cluster) + interval 1 second as last_at
        from (select cluster, apiserver, min(second_at) as own_first, max(second_at) as own_last
            from audit_seconds group by all)
    )
    cross join lateral (
        select first_at as edge_at where own_first > first_at + interval 1 second
        union all
        select last_at where own_last < last_at - interval 1 second
    )
),
paced as (
    -- The part of the seconds that have events, in five minutes or what there is of them, at least
    -- one. Events do not count: a burst says nothing about the time after it.
    select
        *,
        count(*) filter (logged) over (
            replica range between interval 299 second preceding and current row)
            / least(300, greatest(60, epoch(second_at - min(second_at) over whole) + 1)) as before,
        count(*) filter (logged) over (
            replica range between current row and interval 299 second following)
            / least(300, greatest(60, epoch(max(second_at) over whole - second_at) + 1)) as after
    from seconds
    window replica as (partition by cluster, apiserver order by second_at),
        whole as (partition by cluster, apiserver)
),
silences as (
    select
        cluster, apiserver,
        second_at + interval 1 second as began_at,
        lead(second_at) over replica as ended_at,
        epoch(lead(second_at) over replica - second_at) - 1 as silent_s,
        case
            when not logged then 'before its log'
            when not lead(logged) over replica then 'after its log'
            else 'inside'
        end as place,
        -- The quieter side: the end of a storm is no gap.
        silent_s * case place
            when 'before its log' then lead(after) over replica
            when 'after its log' then before
            else least(before, lead(after) over replica)
        end as expected_s
    from paced
    window replica as (partition by cluster, apiserver order by second_at)
),
gaps as materialized (
    -- By chance one in e^20 silences is as long.
    select * from silences where silent_s > 30 and expected_s > 20
),
others as (
    select gaps.cluster, gaps.apiserver, gaps.began_at, sum(events) as events, sum(ended) as ended
    from gaps
    join audit_seconds as other
        on other.cluster = gaps.cluster and other.apiserver <> gaps.apiserver
        and second_at >= began_at and second_at < ended_at
    group by all
),
scraped as (
    -- A minute more: is the counter there around the gap at all?
    select
        gaps.cluster, gaps.apiserver, gaps.began_at,
        count(distinct sampled_at) filter (sampled_at > began_at and sampled_at < ended_at)
            as scrapes,
        sum(gained) filter (since_at >= began_at and sampled_at <= ended_at) as gained
    from gaps
    join counter_gains as counter
        on counter.cluster = gaps.cluster and metric = 'apiserver_request_total'
        and sampled_at between began_at - interval 1 minute and ended_at + interval 1 minute
    group by all
)
select
    cluster, apiserver, began_at, ended_at, silent_s, place, expected_s,
    coalesce(events, 0)::bigint as other_events,
    scrapes, gained as counted_requests,
    case
        when gained - coalesce(ended, 0) > expected_s
            then 'events are missing: the request counter went on'
        when scrapes = 0 then 'the API server may have been down: no scrape of it succeeded'
        when scrapes > 0 and place = 'inside'
            then 'the API server hardly answered: its request counter stood still'
        when coalesce(events, 0) > 0 then 'other API servers went on logging'
        else 'events are missing, or the API server was down'
    end as meaning
from gaps
left join others using (cluster, apiserver, began_at)
left join scraped using (cluster, apiserver, began_at)
order by cluster, began_at, apiserver;
comment on view audit_gaps is 'Silences in the log of one API server: more than 30 s in which, at the pace of the five minutes around it, more than 20 seconds should have had events.';
comment on column audit_gaps.cluster is 'Cluster.';
comment on column audit_gaps.apiserver is 'API server; empty where neither path nor log tells.';
comment on column audit_gaps.began_at is 'First second without events, UTC.';
comment on column audit_gaps.ended_at is 'Next second with events, UTC.';
comment on column audit_gaps.silent_s is 'Length, seconds.';
comment on column audit_gaps.place is 'inside its log; before its log or after its log while other API servers of the cluster logged.';
comment on column audit_gaps.expected_s is 'Seconds with events to be expected in it, at the pace of the quieter of the five minutes before and after.';
comment on column audit_gaps.other_events is 'Events of the other API servers meanwhile.';
comment on column audit_gaps.scrapes is 'Scrapes of the request counter meanwhile; null: none nearby.';
comment on column audit_gaps.counted_requests is 'Requests that the counter gained meanwhile, over all API servers.';
comment on column audit_gaps.meaning is 'What most likely happened.';
