-- One row per time that a lease was renewed too late, or never again.
create or replace view lease_lapses as
with writes as (
    select
        cluster, namespace, name as lease, component, received_at, finished_at,
        coalesce(code < 300 and finished_at is not null and verb <> 'get', false) as renews
    from requests
    where resource = 'leases' and name is not null and verb in ('get', 'create', 'update', 'patch')
        and subresource is null
        -- An API server names itself in a lease that is good for an hour.
        and not starts_with(name, 'apiserver-')
),
renewals as (
    -- Each renewal with the tries that follow it.
    select
        cluster, namespace, lease, any_value(component order by received_at) as component,
        max(finished_at) filter (renews) as renewed_at,
        count(*) filter (not renews) as tries
    from (
        select *, count(*) filter (renews) over (
            partition by cluster, namespace, lease order by received_at
            rows between unbounded preceding and current row) as renewal
        from writes
    )
    where renewal > 0
    group by cluster, namespace, lease, renewal
),
pauses as (
    select
        renewals.*, lead(renewed_at) over one as renewed_again_at,
        median(epoch(coalesce(lead_at, renewed_at) - renewed_at)) over (
            partition by cluster, namespace, lease) as usual_s,
        count(*) over (partition by cluster, namespace, lease) as renewed_times
    from (
        select *, lead(renewed_at) over (
            partition by cluster, namespace, lease order by renewed_at) as lead_at
        from renewals
    ) as renewals
    window one as (partition by cluster, namespace, lease order by renewed_at)
),
minors as (
    select cluster, max(kubernetes_minor(version)) as minor from server_versions group by cluster
),
limits as (
    select
        pauses.*, intervals.ends_at as log_ends_at,
        if(namespace = 'kube-node-lease', 'node heartbeat', 'leader election') as purpose,
        -- kube-controller-manager waits 40 s for a node, from 1.32 on 50 s. A leader holds a lease
        -- for 15 s by default; who renews slowly asked for a longer one.
        if(namespace = 'kube-node-lease',
            greatest(if(coalesce(minor, 0) >= 32, 50, 40), 4 * usual_s),
            greatest(15, 5 * usual_s)) as limit_s
    from pauses
    join intervals on intervals.cluster = pauses.cluster
    left join minors on minors.cluster = pauses.cluster
    where renewed_times >= 3
)
select
    cluster, purpose, namespace, lease, component, renewed_at,
    renewed_at + to_microseconds((limit_s * 1e6)::bigint) as expires_at,
    renewed_again_at, tries, limit_s,
    epoch(coalesce(renewed_again_at, log_ends_at) - expires_at) as lapsed_s
from limits
where epoch(coalesce(renewed_again_at, log_ends_at) - renewed_at) > limit_s
order by expires_at, cluster, namespace, lease;
comment on view lease_lapses is 'Leases that ran out: heartbeats of nodes, after which a node counts as not ready, and leader elections, after which a controller stops. Only leases that the log shows renewed three times.';
comment on column lease_lapses.cluster is 'Cluster.';
comment on column lease_lapses.purpose is 'node heartbeat or leader election.';
comment on column lease_lapses.namespace is 'Namespace of the lease.';
comment on column lease_lapses.lease is 'Name of the lease: the node, or what is elected.';
comment on column lease_lapses.component is 'Component that renewed it.';
comment on column lease_lapses.renewed_at is 'Last renewal that the API server accepted, UTC.';
comment on column lease_lapses.expires_at is 'When it ran out, UTC: limit_s later.';
comment on column lease_lapses.renewed_again_at is 'Next renewal that was accepted, UTC; null: none until the log ends.';
comment on column lease_lapses.tries is 'Requests for the lease in between that did not renew it; 0: nobody tried, as of a node that was removed.';
comment on column lease_lapses.limit_s is 'How long a renewal is good for, seconds: of nodes 40 (50 from Kubernetes 1.32 on), of leaders 15, or several usual pauses where these are long.';
comment on column lease_lapses.lapsed_s is 'How long it was run out, seconds; to the end of the log where it was not renewed.';
