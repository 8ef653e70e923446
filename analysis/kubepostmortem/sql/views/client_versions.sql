-- One row per client program and version, whoever wrote it.
create or replace view client_versions as
select
    cluster, component, client_name, client_version as version,
    bool_or(regexp_matches(user_agent, '\(\w+/\w+\) \S+/([0-9a-f]{7}|\$Format)')) as uses_client_go,
    count(*) as requests,
    count(distinct coalesce(pod, node, source_ip)) as clients,
    min(received_at) as first_seen_at, max(received_at) as last_seen_at
from requests
where client_name is not null
group by all
order by cluster, component, client_name, version nulls last;
comment on view client_versions is 'Versions that clients name in their user agents, by program.';
comment on column client_versions.cluster is 'Cluster.';
comment on column client_versions.component is 'Component.';
comment on column client_versions.client_name is 'Client program named in the user agent.';
comment on column client_versions.version is 'Version of the program; null where it says nothing (v0.0.0). Of client-go itself user agents tell no version.';
comment on column client_versions.uses_client_go is 'True where the user agent has the form of client-go.';
comment on column client_versions.requests is 'Requests.';
comment on column client_versions.clients is 'Pods, nodes or addresses that used it.';
comment on column client_versions.first_seen_at is 'First request, UTC.';
comment on column client_versions.last_seen_at is 'Last request, UTC.';
