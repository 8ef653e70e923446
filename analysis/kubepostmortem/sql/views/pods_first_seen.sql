-- One row per pod that called the API: when it was first seen, and whether it was new then.
create or replace view pods_first_seen as
with logs as (
    -- Every API server has its own log, and rotation lets them begin at different times.
    select
        cluster, apiserver,
        min(case when stages_seen & 1 > 0 then received_at
            else least(started_at, finished_at) end) as log_begins_at
    from requests
    group by all
),
calls as (
    select
        cluster, apiserver, workload, pod, node, received_at,
        received_at - lag(received_at) over (partition by cluster, workload, pod order by received_at)
            as silence
    from requests
    where pod is not null and workload is not null
),
pods as (
    select
        cluster, workload, pod,
        arg_min(node, received_at) as node,
        arg_min(apiserver, received_at) as apiserver,
        min(received_at) as first_seen_at,
        max(silence) as silence
    from calls
    group by all
),
habits as (
    select cluster, workload, median(silence) as usual_silence from pods group by all
),
bindings as (
    select cluster, namespace, name, min(received_at) as bound_at
    from requests
    where resource = 'pods' and subresource = 'binding' and verb = 'create' and code < 300
    group by all
),
joined as (
    select cluster, node, min(received_at) as joined_at
    from requests
    where node_from = 'identity'
    group by all
)
select
    pods.cluster, pods.workload, pods.pod,
    revision_of_pod(pods.pod) as revision,
    pods.node, first_seen_at, bound_at,
    least(bound_at, first_seen_at) as appeared_at,
    epoch(usual_silence) as usual_silence_s,
    least(bound_at, first_seen_at) > log_begins_at + interval 1 minute
        and if(
            -- Where the log shows the scheduler, a pod that it did not place was there before.
            pods.cluster in (select cluster from bindings),
            bound_at is not null,
            -- Else a pod counts as new only if one that was there would have called before.
            coalesce(first_seen_at > log_begins_at + 2 * usual_silence, false)
        )
        -- On a node that has just joined every pod is new, and none was rolled out.
        and coalesce(
            joined_at <= log_begins_at + interval 1 minute
                or first_seen_at > joined_at + interval 10 minutes,
            true) as is_new
from pods
join logs using (cluster, apiserver)
join habits using (cluster, workload)
left join bindings
    on bindings.cluster = pods.cluster and bindings.name = pods.pod
    and bindings.namespace = split_part(pods.workload, '/', 1)
left join joined on joined.cluster = pods.cluster and joined.node = pods.node;
comment on view pods_first_seen is 'Pods that called with a bound service account token: when each was first seen, and whether it was new then rather than silent before.';
comment on column pods_first_seen.cluster is 'Cluster.';
comment on column pods_first_seen.workload is 'Owner of the pod as namespace/name, inferred from the pod name.';
comment on column pods_first_seen.pod is 'Pod.';
comment on column pods_first_seen.revision is 'Pod-template hash, where the pod name has one (Deployments).';
comment on column pods_first_seen.node is 'Node that it ran on.';
comment on column pods_first_seen.first_seen_at is 'Its first request, UTC.';
comment on column pods_first_seen.bound_at is 'When the scheduler placed it on its node, UTC; null: not in the log.';
comment on column pods_first_seen.appeared_at is 'The earlier of the two, UTC.';
comment on column pods_first_seen.usual_silence_s is 'Longest pause between two requests of one pod, median over the pods of the workload, seconds; null: no pod called twice.';
comment on column pods_first_seen.is_new is 'True where it appeared later than a minute after the log began, and was placed then by the scheduler; where the log shows no placing, where it was unseen for more than twice the usual silence. Pods that came with a new node are not new.';
