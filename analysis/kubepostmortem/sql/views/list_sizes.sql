-- One row per cluster and resource: how large answers to lists were in the overload.
create or replace view list_sizes as
with samples as (
    select
        series.cluster, series_id, metric, sampled_at, value,
        concat_ws('.', labels['resource'], nullif(labels['group'], '')) as resource
    from metric_series as series
    join metric_samples using (series_id)
    join incident
        on incident.cluster = series.cluster and time_window = 'overload'
        and sampled_at >= begins_at and sampled_at < ends_at
    where metric in ('apiserver_response_sizes_sum', 'apiserver_response_sizes_count')
        and upper(labels['verb']) = 'LIST' and labels['resource'] is not null and isfinite(value)
        and coalesce(labels['subresource'], '') = ''
),
gains as (
    select
        *, greatest(value - lag(value) over (partition by series_id order by sampled_at), 0) as gained
    from samples
)
select
    cluster, resource,
    sum(gained) filter (metric = 'apiserver_response_sizes_count') as answers,
    sum(gained) filter (metric = 'apiserver_response_sizes_sum')
        / nullif(sum(gained) filter (metric = 'apiserver_response_sizes_count'), 0) as answer_bytes
from gains
group by all
having coalesce(answers, 0) > 0 and answer_bytes is not null
order by cluster, resource;
comment on view list_sizes is 'Average size of the answers to lists in the overload, from apiserver_response_sizes: of all clients. Refused lists are not among them.';
comment on column list_sizes.cluster is 'Cluster.';
comment on column list_sizes.resource is 'Resource, plural, with its group where the metric names it (pods, daemonsets.apps).';
comment on column list_sizes.answers is 'Lists that were counted.';
comment on column list_sizes.answer_bytes is 'Average bytes of an answer as sent, compressed where the client accepts it.';
