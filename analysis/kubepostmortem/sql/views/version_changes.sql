-- One row per instance of a program of Kubernetes that came back with another version.
create or replace view version_changes as
with spans as (
    select
        cluster, component, instance, named_by, version,
        min(first_seen_at) as began_at, max(last_seen_at) as ended_at
    from program_versions
    -- People use several versions of kubectl; a node object has no time.
    where component not in ('kubectl', 'unknown') and first_seen_at is not null
    group by all
),
ordered as (
    select
        *,
        lag(version) over one as old_version,
        lag(ended_at) over one as old_ended_at
    from spans
    window one as (partition by cluster, component, instance, named_by order by began_at, version)
)
select
    cluster, component, instance, named_by, old_version, version as new_version,
    old_ended_at as last_old_at, began_at as first_new_at
from ordered
-- Several API servers without a name that run different versions side by side are no change.
where old_ended_at < began_at
order by cluster, component, first_new_at, instance, named_by;
comment on view version_changes is 'Upgrades and downgrades in the recording: instances of programs of Kubernetes that stopped naming one version and named another.';
comment on column version_changes.cluster is 'Cluster.';
comment on column version_changes.component is 'Program.';
comment on column version_changes.instance is 'Node, address or scrape target.';
comment on column version_changes.named_by is 'user agent, kubernetes_build_info or kube_node_info.';
comment on column version_changes.old_version is 'Version before.';
comment on column version_changes.new_version is 'Version after.';
comment on column version_changes.last_old_at is 'Last request or sample with the old version, UTC.';
comment on column version_changes.first_new_at is 'First request or sample with the new version, UTC.';
