-- One row per cluster and feature gate of its API servers, from their metrics.
create or replace view enabled_features as
select
    cluster, gate,
    -- Whether every API server had it on, at the end of the export.
    min(last_value) >= 1 as enabled,
    min(last_value) <> max(last_value) as differs
from (
    select series.cluster, labels['name'] as gate, series_id, arg_max(value, sampled_at) as last_value
    from metric_series as series
    join metric_samples using (series_id)
    where metric = 'kubernetes_feature_enabled'
        and regexp_matches(coalesce(labels['job'], 'apiserver'), 'apiserver|kube-api|^kubernetes$')
    group by all
)
where gate is not null
group by all
order by cluster, gate;
comment on view enabled_features is 'Feature gates of API servers as kubernetes_feature_enabled tells them, defaults included.';
comment on column enabled_features.cluster is 'Cluster.';
comment on column enabled_features.gate is 'Feature gate.';
comment on column enabled_features.enabled is 'True where all API servers had it on.';
comment on column enabled_features.differs is 'True where some had it on and some off.';
