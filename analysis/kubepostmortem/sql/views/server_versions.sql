-- One row per version that an API server or a part of the control plane named.
create or replace view server_versions as
select distinct cluster, labels['git_version'] as version, 'kubernetes_build_info' as named_by
from metric_series
where metric = 'kubernetes_build_info' and labels['git_version'] is not null
union
select distinct cluster, client_version, component
from requests
where component in ('kube-controller-manager', 'kube-scheduler', 'kube-apiserver')
    and client_version is not null
order by cluster, named_by, version;
comment on view server_versions is 'Versions of the control plane: from build info metrics, and from the user agents of its own clients.';
comment on column server_versions.cluster is 'Cluster.';
comment on column server_versions.version is 'Version, as named.';
comment on column server_versions.named_by is 'kubernetes_build_info (surest) or the component whose user agent names it.';
