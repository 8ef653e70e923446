-- One row per program of Kubernetes, instance, version and way in which it was named.
create or replace view program_versions as
with called as (
    select
        cluster, component, client_version as version,
        coalesce(case component
            when 'kubelet' then coalesce(node, node_of_identity(username), source_ip)
            when 'kube-apiserver' then apiserver
            else source_ip
        end, '') as instance,
        nullif(regexp_extract(user_agent, ' kubernetes/([0-9a-f]{7,40})', 1), '') as commit,
        min(received_at) as first_seen_at, max(received_at) as last_seen_at,
        count(*) as requests
    from requests
    where component in ('kube-apiserver', 'kube-controller-manager', 'kube-scheduler',
            'cloud-controller-manager', 'kubelet', 'kube-proxy', 'kubectl')
        -- Who calls under the identity of a program with curl names the version of curl.
        and (client_name = component
            or client_name in ('hyperkube', 'k3s', 'rke2', 'k0s', 'kubelite', 'microk8s'))
        and (component <> 'kube-apiserver' or username = 'system:apiserver')
        and kubernetes_minor(client_version) is not null
    group by all
),
named as (
    select
        series_id, cluster, metric,
        lower(coalesce(labels['job'], '')) as job, coalesce(labels['instance'], '') as instance,
        labels['node'] as node, labels['kubelet_version'] as kubelet_version,
        labels['git_version'] as git_version, labels['git_commit'] as git_commit,
        labels['git_tree_state'] as tree_state, labels['build_date'] as build_date,
        labels['go_version'] as go_version
    from metric_series
    where metric in ('kubernetes_build_info', 'kube_node_info')
),
scraped as (
    select
        cluster,
        case
            when metric = 'kube_node_info' then 'kubelet'
            when regexp_matches(job, 'openshift-|aggregat|cloud') then 'unknown'
            when regexp_matches(job, 'apiserver|kube-api|^kubernetes$') then 'kube-apiserver'
            when regexp_matches(job, 'controller-manager|kcm') then 'kube-controller-manager'
            when regexp_matches(job, 'scheduler') then 'kube-scheduler'
            when regexp_matches(job, 'kubelet|nodes') then 'kubelet'
            when regexp_matches(job, 'proxy') then 'kube-proxy'
            -- Ports by default.
            else coalesce(map {'6443': 'kube-apiserver', '10257': 'kube-controller-manager',
                '10259': 'kube-scheduler', '10250': 'kubelet', '10249': 'kube-proxy'
                }[regexp_extract(instance, ':(\d+)$', 1)], 'unknown')
        end as component,
        if(metric = 'kube_node_info', kubelet_version, git_version) as version,
        coalesce(if(metric = 'kube_node_info', node, instance), '') as instance,
        metric as named_by, git_commit as commit, tree_state, build_date, go_version,
        min(sampled_at) as first_seen_at, max(sampled_at) as last_seen_at
    from named
    left join metric_samples using (series_id)
    group by all
)
select
    cluster, component, version, kubernetes_minor(version) as minor, instance,
    'user agent' as named_by, commit, null::varchar as tree_state, null::varchar as build_date,
    null::varchar as go_version, first_seen_at, last_seen_at, requests
from called
union all
select
    cluster, component, version, kubernetes_minor(version), instance, named_by, commit,
    tree_state, build_date, go_version, first_seen_at, last_seen_at, null
from scraped
where kubernetes_minor(version) is not null
union all
select
    cluster, 'kubelet', kubelet_version, kubernetes_minor(kubelet_version), node, 'node object',
    null, null, null, null, null, null, null
from nodes
where kubernetes_minor(kubelet_version) is not null
order by cluster, component, version, named_by, instance, commit;
comment on view program_versions is 'Versions of the programs of Kubernetes: API servers, controllers, kubelets, kube-proxy and kubectl, by instance, and when each was seen.';
comment on column program_versions.cluster is 'Cluster.';
comment on column program_versions.component is 'Program; unknown: a metric that does not tell whose it is.';
comment on column program_versions.version is 'Version, as named.';
comment on column program_versions.minor is 'Minor version: 31 of v1.31.4.';
comment on column program_versions.instance is 'Node, address or scrape target; empty where the source does not tell.';
comment on column program_versions.named_by is 'user agent, kubernetes_build_info, kube_node_info or node object.';
comment on column program_versions.commit is 'Git commit that it was built from: 7 digits in user agents, 40 in metrics; null where the source does not tell.';
comment on column program_versions.tree_state is 'State of the source tree at the build: clean, dirty or archive.';
comment on column program_versions.build_date is 'Date of the build, as named.';
comment on column program_versions.go_version is 'Version of the Go compiler.';
comment on column program_versions.first_seen_at is 'First request or sample, UTC; null of node objects, which have no time.';
comment on column program_versions.last_seen_at is 'Last request or sample, UTC.';
comment on column program_versions.requests is 'Requests with this version; null of other sources.';
