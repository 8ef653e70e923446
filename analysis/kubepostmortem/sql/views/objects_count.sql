-- One row per observation of how many objects of a resource a cluster held.
create or replace view objects_count as
select
    cluster,
    concat_ws('.', labels['resource'], nullif(labels['group'], '')) as resource,
    sampled_at as counted_at,
    max(value)::bigint as objects,
    metric as counted_by
from metric_series
join metric_samples using (series_id)
where metric in ('apiserver_resource_objects', 'apiserver_storage_objects', 'etcd_object_counts')
    and labels['resource'] is not null and isfinite(value) and value >= 0
group by all
union all
select cluster, resource, null, objects, 'kubectl'
from listed_objects;
comment on view objects_count is 'How many objects of a resource there were: from metrics over time, and from exported kubectl lists (without time).';
comment on column objects_count.cluster is 'Cluster.';
comment on column objects_count.resource is 'Resource, plural, with its group (pods, daemonsets.apps).';
comment on column objects_count.counted_at is 'When, UTC; null for exported lists.';
comment on column objects_count.objects is 'Objects.';
comment on column objects_count.counted_by is 'Metric, or kubectl.';
