-- One row per release: steps of one service without a long pause.
create or replace view deploy_candidates as
with told as (
    select
        *,
        reported_by = 'pods first seen' as is_wave,
        -- The hash in a pod's name is no version: it differs from what everybody else says.
        case when reported_by <> 'pods first seen' then version end as said_version
    from deploy_steps
),
steps as (
    select
        *,
        -- A step belongs to a new release after a pause (pods take some time to be pulled and
        -- started), or where another version is named (two reports of one release may spell its
        -- version differently, but are seconds apart).
        (applied_at - max(seen_until) over before
                > if(is_wave, interval 10 minutes, interval 2 minutes)
            or applied_at - lag(applied_at) over earlier > interval 10 seconds
                and coalesce(said_version <> last_value(said_version ignore nulls) over before, false)
            or lag(applied_at) over earlier is null)::integer as is_new
    from told
    window
        earlier as (partition by cluster, namespace, service order by applied_at),
        before as (partition by cluster, namespace, service order by applied_at
            rows between unbounded preceding and 1 preceding)
),
numbered as (
    select *, sum(is_new) over (
        partition by cluster, namespace, service order by applied_at
        rows between unbounded preceding and current row) as release
    from steps
)
select
    cluster, namespace, service,
    min(applied_at) as applied_at,
    max(applied_at) as last_step_at,
    -- A deploy record knows the version best; objects and revisions spell it their own way.
    coalesce(
        arg_min(version, applied_at) filter (reported_by = 'deploy timeline'),
        arg_min(said_version, applied_at),
        arg_min(version, applied_at)) as version,
    max(kind) as kind,
    arg_min(actor, applied_at) as actor,
    string_agg(distinct reported_by, ', ' order by reported_by) as reported_by,
    list(distinct action order by action) as actions,
    count(*) as steps
from numbered
group by cluster, namespace, service, release;
comment on view deploy_candidates is 'Releases: the steps of one service (waves, started and applied, reports of several sources) that follow each other within two minutes, pods within ten.';
comment on column deploy_candidates.cluster is 'Cluster.';
comment on column deploy_candidates.namespace is 'Namespace.';
comment on column deploy_candidates.service is 'What was changed.';
comment on column deploy_candidates.applied_at is 'First step, UTC.';
comment on column deploy_candidates.last_step_at is 'Last step, UTC.';
comment on column deploy_candidates.version is 'Version, where a source names it.';
comment on column deploy_candidates.kind is 'Kind of object, where known.';
comment on column deploy_candidates.actor is 'Who or what made the first step.';
comment on column deploy_candidates.reported_by is 'Sources that report it.';
comment on column deploy_candidates.actions is 'What was done.';
comment on column deploy_candidates.steps is 'Number of steps.';
