-- One row per sample of what a DNS server counts: its gain since the sample before.
create or replace view dns_counters as
with series as (
    select
        series_id, cluster, coalesce(labels['instance'], labels['pod'], '') as server,
        regexp_matches(
            concat_ws(' ', labels['job'], labels['k8s_app'], labels['container'], labels['pod'],
                labels['instance']),
            'node-?local|node-?cache|:9253$') as is_node_cache,
        case
            when metric in ('coredns_dns_requests_total', 'coredns_dns_request_count_total',
                'skydns_skydns_dns_request_count_total') then 'queries'
            when metric in ('coredns_dns_responses_total', 'coredns_dns_response_rcode_count_total')
                then if(labels['rcode'] = 'SERVFAIL', 'SERVFAIL answers', 'other answers')
            when metric = 'skydns_skydns_dns_error_count_total' then 'SERVFAIL answers'
            when metric = 'coredns_cache_requests_total' then 'cache lookups'
            when metric in ('coredns_cache_hits_total', 'kubedns_dnsmasq_hits') then 'cache hits'
            when metric in ('coredns_cache_misses_total', 'kubedns_dnsmasq_misses')
                then 'cache misses'
            when metric = 'coredns_cache_served_stale_total' then 'stale answers'
            when metric = 'coredns_kubernetes_rest_client_requests_total' then if(
                regexp_full_match(coalesce(labels['code'], ''), '[123]..|404|410'),
                'API requests', 'failed API requests')
            when metric in ('coredns_proxy_request_duration_seconds_count',
                'coredns_forward_responses_total') then if(
                labels['rcode'] in ('SERVFAIL', 'REFUSED'), 'upstream failures', 'upstream answers')
            when metric in ('coredns_forward_healthcheck_failures_total',
                'coredns_proxy_healthcheck_failures_total',
                'coredns_forward_healthcheck_broken_total') then 'upstream failures'
            when metric = 'coredns_forward_max_concurrent_rejects_total' then 'queries refused'
            when metric in ('coredns_health_request_failures_total', 'kubedns_probe_dnsmasq_errors',
                'kubedns_probe_kubedns_errors') then 'failed self-checks'
            when metric = 'coredns_kubernetes_dns_programming_duration_seconds_count'
                then 'name updates'
        end as counted
    from metric_series
    where regexp_matches(metric, '^(coredns|kubedns|skydns)_')
    -- Two Prometheis that scrape the same process would count it twice.
    qualify dense_rank() over (partition by cluster, metric
        order by coalesce(labels['prometheus_replica'], labels['__replica__'], '')) = 1
),
samples as (
    select
        series.*, sampled_at, value,
        lag(sampled_at) over one as since_at,
        lag(value) over one as before
    from series
    join metric_samples using (series_id)
    where counted is not null and isfinite(value)
    window one as (partition by series_id order by sampled_at)
)
select
    cluster, server, is_node_cache, counted, sampled_at, since_at,
    -- A counter that went down was reset: what it shows has been counted since.
    if(value < before, value, value - before) as gained
from samples
where before is not null;
comment on view dns_counters is 'What CoreDNS, kube-dns and node-local DNS caches counted, under one name for all their releases: gains between neighbouring samples.';
comment on column dns_counters.cluster is 'Cluster.';
comment on column dns_counters.server is 'DNS server, as scraped.';
comment on column dns_counters.is_node_cache is 'True for a cache that runs on every node in front of the cluster DNS.';
comment on column dns_counters.counted is 'What is counted: queries, SERVFAIL answers, other answers, cache lookups, cache hits, cache misses, stale answers, API requests, failed API requests, upstream answers, upstream failures, queries refused, failed self-checks, name updates.';
comment on column dns_counters.sampled_at is 'Time of the sample, UTC.';
comment on column dns_counters.since_at is 'Time of the sample before, UTC.';
comment on column dns_counters.gained is 'Gain since the sample before; a reset counts from zero.';
