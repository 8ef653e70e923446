-- One row per cluster: by which rules its API server estimates seats.
create or replace view seat_rules as
with versions as (
    select
        cluster,
        max(kubernetes_minor(version)) filter (named_by = 'kubernetes_build_info') as by_metric,
        max(kubernetes_minor(version)) as by_any
    from server_versions
    group by cluster
),
settings as (
    select cluster, max(value) as feature_gates
    from apiserver_config
    where setting = 'feature-gates'
    group by cluster
),
widest as (
    select cluster, max(max_seats) as max_seats
    from level_seats
    group by cluster
)
select
    cluster,
    -- The last release whose rule needs no sizes of objects, which few exports hold.
    coalesce(by_metric, by_any, 33) as minor,
    case
        when by_metric is not null then 'metric'
        when by_any is not null then 'user agent'
        else 'assumed'
    end as minor_from,
    feature_gate(feature_gates, 'SizeBasedListCostEstimate', minor >= 34) as by_size,
    feature_gate(feature_gates, 'WatchList', minor = 32 or minor >= 34) as watch_lists,
    feature_gate(feature_gates, 'ConsistentListFromCache', minor >= 31) as consistent_lists,
    -- Which level a request belongs to is not looked up here: the widest sets the bound for all.
    least(if(by_size, 100, 10), coalesce(max_seats, 100)) as max_list_seats,
    least(10, coalesce(max_seats, 100)) as max_write_seats
from clusters
left join versions using (cluster)
left join settings using (cluster)
left join widest using (cluster);
comment on view seat_rules is 'By which rules the API server of a cluster estimates seats: from its version and feature gates. Kubernetes 1.34 and later weighs lists by bytes, earlier releases by number of objects.';
comment on column seat_rules.cluster is 'Cluster.';
comment on column seat_rules.minor is 'Minor version of the API server, the newest that is named.';
comment on column seat_rules.minor_from is 'How the version is known: metric (kubernetes_build_info), user agent (of the control plane), or assumed.';
comment on column seat_rules.by_size is 'True: lists are estimated by bytes, false: by number of objects (SizeBasedListCostEstimate).';
comment on column seat_rules.watch_lists is 'True: watches that start with a list are estimated as one (WatchList).';
comment on column seat_rules.consistent_lists is 'True: lists of the most recent state come from the watch cache (ConsistentListFromCache; its etcd is taken to be new enough).';
comment on column seat_rules.max_list_seats is 'Most seats of a list: the bound of the release, or of the widest priority level where metrics tell the levels. Other levels may allow fewer.';
comment on column seat_rules.max_write_seats is 'Most seats of a write, bounded likewise.';
