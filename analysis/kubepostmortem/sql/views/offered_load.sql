-- One row per component, verb and window: the requests offered, and what is left without retries.
create or replace view offered_load as
with offered as (
    select requests.cluster, component, verb, time_window, count(*) as requests
    from requests
    join incident
        on incident.cluster = requests.cluster
        and received_at >= begins_at and received_at < ends_at
    group by all
),
repeated as (
    select
        retries.cluster, component, verb, time_window,
        count(*) as retries,
        count(*) filter (at_usual_pace) as retries_at_usual_pace,
        count(*) filter (code_before = 429) as retries_after_429,
        1 - avg(obeyed::integer) as early_share
    from retries
    join incident
        on incident.cluster = retries.cluster
        and received_at >= begins_at and received_at < ends_at
    group by all
)
select
    offered.cluster, offered.component, offered.verb, offered.time_window, requests,
    coalesce(retries, 0) as retries,
    requests - coalesce(retries, 0) as unique_requests,
    requests / nullif(unique_requests, 0) as retry_factor,
    coalesce(retries_at_usual_pace, 0) as retries_at_usual_pace,
    coalesce(retries_after_429, 0) as retries_after_429,
    early_share
from offered
left join repeated
    on repeated.cluster = offered.cluster and repeated.component = offered.component
    and repeated.verb is not distinct from offered.verb
    and repeated.time_window = offered.time_window
order by retries desc, requests desc, offered.cluster, offered.component, offered.verb, time_window;
comment on view offered_load is 'Offered load in both windows: all requests, how many of them are retries, and how many were asked for the first time.';
comment on column offered_load.cluster is 'Cluster.';
comment on column offered_load.component is 'Component.';
comment on column offered_load.verb is 'Verb.';
comment on column offered_load.time_window is 'baseline or overload.';
comment on column offered_load.requests is 'Requests offered, whatever their answer.';
comment on column offered_load.retries is 'Of them, those that repeat an unsuccessful one.';
comment on column offered_load.unique_requests is 'The others.';
comment on column offered_load.retry_factor is 'Requests offered per unique request; 1: no retries. A retry in a window may repeat a request before it.';
comment on column offered_load.retries_at_usual_pace is 'Of the retries, those that may be the next round of a client that polls.';
comment on column offered_load.retries_after_429 is 'Of the retries, those that follow a 429.';
comment on column offered_load.early_share is 'Part of the retries after a 429 that came in less than 1 s, before any Retry-After; null: there are none.';
