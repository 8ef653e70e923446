-- One row per wave of a rollout: pods of one workload that appeared shortly after one another.
create or replace view rollouts as
with fresh as (
    select
        *, appeared_at - lag(appeared_at) over earlier as pause
    from pods_first_seen
    where is_new
    window earlier as (partition by cluster, workload, revision order by appeared_at, pod)
),
paced as (
    select
        *,
        -- A pause splits waves where it is long for this rollout: some go node by node.
        coalesce(pause > greatest(interval 15 seconds, least(interval 5 minutes,
            5 * median(pause) over (partition by cluster, workload, revision))), true) as begins_wave
    from fresh
),
numbered as (
    select *, sum(begins_wave::integer) over (
        partition by cluster, workload, revision order by appeared_at, pod
        rows between unbounded preceding and current row) as wave
    from paced
),
waves as (
    select
        cluster, workload, revision, wave,
        min(appeared_at) as began_at,
        max(appeared_at) as ended_at,
        count(*) as pods,
        count(distinct node) as nodes
    from numbered
    group by all
),
workload_pods as (
    select
        cluster, workload,
        count(*) as pods_seen,
        count(*) filter (not is_new) as pods_before,
        list(distinct revision) filter (not is_new and revision is not null) as revisions_before
    from pods_first_seen
    group by all
)
select
    cluster, workload, revision, began_at, ended_at, pods, nodes, pods / pods_seen as share
from waves
join workload_pods using (cluster, workload)
-- Evicted and restarted pods come back one by one, under the revision that was there before. So a
-- wave is part of a rollout where its revision is new; where names tell no revision, where it is
-- at least 3 pods and a tenth of all, or the whole workload is new and has at least 3 pods.
where case
    when revision is not null then not coalesce(list_contains(revisions_before, revision), false)
    when pods_before = 0 then pods_seen >= 3
    else pods >= 3 and pods >= 0.1 * pods_seen
end
order by began_at, cluster, workload;
comment on view rollouts is 'Waves of rollouts as the audit log shows them: new pods of one workload whose calls are seen for the first time. Restarts of few pods, pods on new nodes, and scaling of a known revision are none.';
comment on column rollouts.cluster is 'Cluster.';
comment on column rollouts.workload is 'Workload as namespace/name, inferred from pod names.';
comment on column rollouts.revision is 'Pod-template hash of the new pods; null: their names have none (DaemonSets, StatefulSets).';
comment on column rollouts.began_at is 'When the first pod of the wave appeared, UTC.';
comment on column rollouts.ended_at is 'When its last pod appeared, UTC.';
comment on column rollouts.pods is 'Pods of the wave.';
comment on column rollouts.nodes is 'Nodes that they run on.';
comment on column rollouts.share is 'Part of all pods of the workload that the log shows, old and new.';
