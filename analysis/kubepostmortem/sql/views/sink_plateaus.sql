-- One row per span in which the log of one API server looks cut off at a ceiling.
create or replace view sink_plateaus as
with bins as (
    -- Only whole intervals of ten seconds: the first and the last of a log are cut.
    select
        cluster, apiserver, time_bucket(interval 10 second, second_at) as bin_at,
        sum(events) / 10 as events_per_s
    from audit_seconds
    group by cluster, apiserver, bin_at
    qualify bin_at > min(bin_at) over (partition by cluster, apiserver)
        and bin_at < max(bin_at) over (partition by cluster, apiserver)
),
topped as (
    select *, max(events_per_s) over (partition by cluster, apiserver) as most
    from bins
),
flat as materialized (
    select
        *,
        events_per_s >= 0.97 * most as at_top,
        -- Neighbours at the top share a number: their place in time less their rank among them.
        epoch(bin_at) / 10 - row_number() over (
            partition by cluster, apiserver, events_per_s >= 0.97 * most order by bin_at) as run
    from topped
),
runs as materialized (
    select
        cluster, apiserver, min(bin_at) as began_at, max(bin_at) + interval 10 second as ended_at,
        avg(events_per_s) as events_per_s
    from flat
    -- Below a thousand per second no sink is full.
    where at_top and most >= 1000
    group by cluster, apiserver, run
    having count(*) >= 6
),
below as (
    select cluster, apiserver, quantile_cont(events_per_s, 0.1) / any_value(most) as quiet_share
    from flat
    group by all
),
counted as materialized (
    select
        runs.cluster, runs.apiserver, runs.began_at, sum(gained) as counted_requests,
        min(since_at) as first_at, max(sampled_at) as last_at
    from runs
    join counter_gains as counter
        on counter.cluster = runs.cluster and since_at >= began_at and sampled_at <= ended_at
    where metric = 'apiserver_request_total' and coalesce(labels['resource'], 'any') <> ''
    group by all
),
audited as (
    select
        counted.cluster, counted.apiserver, counted.began_at, any_value(counted_requests) as counted,
        count(*) as audited_requests
    from counted
    join requests
        on requests.cluster = counted.cluster
        and finished_at > first_at and finished_at <= last_at
    where resource is not null
    group by all
)
select
    cluster, apiserver, began_at, ended_at, events_per_s,
    audited_requests / nullif(counted, 0) as audited_share,
    -- The default of the webhook backend: batches of 400, ten per second.
    events_per_s between 3800 and 4200 as at_webhook_default
from runs
join below using (cluster, apiserver)
left join audited using (cluster, apiserver, began_at)
-- A steady load is flat, too: there must be quieter times, or the default's own rate.
where (at_webhook_default or quiet_share < 0.7)
    and coalesce(audited_share < 0.9, true)
order by cluster, apiserver, began_at;
comment on view sink_plateaus is 'Spans of at least a minute in which the events of one API server stay within 3 % of their maximum, at 1,000 per second or more, while its load varies: a sink (webhook, pipeline) that is full drops the rest. Not where the request counter says that all is there.';
comment on column sink_plateaus.cluster is 'Cluster.';
comment on column sink_plateaus.apiserver is 'API server; empty where neither path nor log tells.';
comment on column sink_plateaus.began_at is 'Beginning, UTC, to ten seconds.';
comment on column sink_plateaus.ended_at is 'End, UTC, to ten seconds.';
comment on column sink_plateaus.events_per_s is 'Events per second in it.';
comment on column sink_plateaus.audited_share is 'Requests of the cluster in the log as a part of those counted meanwhile; null where no counter was scraped.';
comment on column sink_plateaus.at_webhook_default is 'True near 4,000 per second, which the webhook backend sends by default (400 events, 10 times per second).';
