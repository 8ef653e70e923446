-- One row per cluster and circumstance of its overload in which features of a release matter.
create or replace view overload_circumstances as
with counted as (
    select
        cluster,
        count(*) as "any load",
        count(*) filter (code = 429) as "refused",
        -- Releases before 1.31 do not tell of queues: none is not known to be none.
        nullif(count(*) filter (apf_queue_wait_ms > 0), 0) as "queued",
        count(*) filter (code = 429 and regexp_matches(uri_path, '^/(healthz|livez|readyz)(/|$)'))
            as "refused probes",
        count(*) filter (verb = 'list' and resource_version is null and not continues)
            as "recent lists",
        count(*) filter (verb = 'list' and (continues or page_limit > 0)) as "pages",
        count(*) filter (verb = 'list' and scope = 'cluster' and not continues
            and coalesce(page_limit, 0) = 0
            and field_selector is null and label_selector is null) as "wide lists",
        count(*) filter (verb = 'list' and resource_version = '0' or send_initial_events)
            as "first lists",
        count(*) filter (verb = 'list' and scope = 'namespace') as "namespace lists",
        count(*) filter (code = 401 or username = 'system:anonymous') as "anonymous",
        count(*) filter (starts_with(username, 'system:serviceaccount:')) as "pods"
    from overload_requests
    group by cluster
)
select cluster, circumstance, times
from (unpivot counted on columns(* exclude (cluster)) into name circumstance value times)
union all
select cluster, 'restarts', count(*) filter (most > least + 1)
from process_health
where metric = 'process_start_time_seconds' and process = 'API server' and time_window = 'overload'
group by cluster
order by cluster, circumstance;
comment on view overload_circumstances is 'What happened in the overload, as far as it decides which features of a release mattered.';
comment on column overload_circumstances.cluster is 'Cluster.';
comment on column overload_circumstances.circumstance is 'Circumstance, as in releases.toml; one that nobody measured has no row.';
comment on column overload_circumstances.times is 'Requests (restarts: API servers) of which it holds.';
