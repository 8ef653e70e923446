-- One row per sample of a counter that an API server keeps of its requests or audit events: its gain.
create or replace view counter_gains as
with series as (
    select
        *, coalesce(labels['prometheus_replica'], labels['__replica__'], '') as scraper,
        -- What the scrape says of its target: a target of another name is not the same one anew.
        list_filter(map_entries(labels), lambda label: not list_contains(
            ['verb', 'resource', 'subresource', 'code', 'group', 'version', 'scope', 'component',
                'dry_run', 'level', 'plugin'], label.key))::varchar as target
    from metric_series
    where metric in (
            'apiserver_request_total', 'apiserver_request_terminations_total',
            'apiserver_audit_event_total', 'apiserver_audit_level_total',
            'apiserver_audit_error_total', 'apiserver_audit_requests_rejected_total')
        -- These run the same server library, and count requests to themselves.
        and not regexp_matches(
            coalesce(labels['job'], ''), 'controller-manager|scheduler|kubelet|metrics-server')
),
samples as materialized (
    select series.*, sampled_at, value
    from series
    join metric_samples using (series_id)
    where isfinite(value)
),
exports as (
    -- What one query gave, in one file or several: its series are labelled with the same names.
    select *, sum(samples) over (partition by cluster, metric, scraper, label_names) as size
    from (select cluster, metric, scraper, ingest_id,
        array_to_string(list_sort(list_distinct(flatten(list(map_keys(labels))))), ',') as label_names
        from series group by all)
    join (select cluster, metric, scraper, ingest_id, count(*) as samples
        from samples group by all) using (cluster, metric, scraper, ingest_id)
),
chosen as (
    -- One request may be counted in several exports (raw, summed, by two Prometheis): the export
    -- with the most samples stands for all.
    select cluster, metric, scraper, ingest_id, label_names
    from exports
    qualify rank() over (partition by cluster, metric order by size desc, label_names, scraper) = 1
),
neighbours as (
    select
        cluster, metric, labels, labels['instance'] as instance, sampled_at, value,
        string_split(label_names, ',') as label_names,
        lag(sampled_at) over series as since_at,
        lag(value) over series as before,
        min(sampled_at) over (partition by cluster, metric, target) as target_first_at
    from samples
    join chosen using (cluster, metric, scraper, ingest_id)
    window series as (partition by cluster, metric, series_id order by sampled_at)
)
select
    cluster, metric, labels, instance, label_names, sampled_at, since_at,
    -- A restarted server counts from zero; a sum over several falls by the part of the one that left.
    coalesce(instance is null and value < before and value > before / 10, false) as loses_a_server,
    case
        -- A series that turns up later counts from zero. Without instances, in the first minute, it
        -- may just be another API server, scraped a moment after the first one.
        when before is null then if(
            sampled_at > target_first_at + if(instance is null, interval 1 minute, interval 0 minute),
            value, 0)
        when loses_a_server then 0
        when value < before then value
        else value - before
    end as gained
from neighbours;
comment on view counter_gains is 'What each counter of API server requests and audit events gained since the sample before. Resets count from zero; of several exports of one counter the one with the most samples counts.';
comment on column counter_gains.cluster is 'Cluster.';
comment on column counter_gains.metric is 'Counter, as in Prometheus.';
comment on column counter_gains.labels is 'Labels of the series.';
comment on column counter_gains.instance is 'API server that counted; null where the export is a sum.';
comment on column counter_gains.label_names is 'Labels that the export has: what it was summed over is not among them.';
comment on column counter_gains.sampled_at is 'Time of the sample, UTC.';
comment on column counter_gains.since_at is 'Time of the sample before, UTC; null for the first one of a series.';
comment on column counter_gains.gained is 'Gain since the sample before.';
comment on column counter_gains.loses_a_server is 'True where a sum over API servers fell by a part: one of them is no longer in it, and gains around it are not known.';
