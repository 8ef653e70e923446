-- One row per cluster and resource: how many objects are stored, and how large they are.
create or replace view stored_objects as
with counts as (
    select
        cluster, resource,
        median(objects) filter (counted_by <> 'kubectl') as by_metric,
        max(objects) filter (counted_by = 'kubectl') as by_list
    from objects_count
    group by all
),
sizes as (
    select
        cluster, concat_ws('.', labels['resource'], nullif(labels['group'], '')) as resource,
        median(value) as bytes
    from metric_series
    join metric_samples using (series_id)
    where metric = 'apiserver_resource_size_estimate_bytes' and isfinite(value)
    group by all
)
select
    cluster, resource,
    round(coalesce(by_metric, by_list))::bigint as objects,
    if(by_metric is not null, 'metric', 'kubectl') as objects_from,
    -- Without a size the API server says -1.
    if(bytes < 0, 0, round(bytes / greatest(objects, 1))) as object_bytes
from counts
left join sizes using (cluster, resource);
comment on view stored_objects is 'How many objects of a resource a cluster stores, and their average size: medians over the scraped time.';
comment on column stored_objects.cluster is 'Cluster.';
comment on column stored_objects.resource is 'Resource, plural, with its group (pods, daemonsets.apps).';
comment on column stored_objects.objects is 'Objects.';
comment on column stored_objects.objects_from is 'How they are known: metric or kubectl.';
comment on column stored_objects.object_bytes is 'Average size of an object, bytes; 0: unknown to the API server itself, null: not in the metrics.';
