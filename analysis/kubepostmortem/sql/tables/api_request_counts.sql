-- One row per hour, API resource, API server node, client and verb, from OpenShift's APIRequestCounts.
create table if not exists api_request_counts (
    cluster varchar not null,
    hour_at timestamp not null,
    resource varchar not null,
    api_group varchar not null,
    api_version varchar not null,
    node varchar not null,
    username varchar not null,
    user_agent varchar not null,
    verb varchar not null,
    requests bigint not null,
    is_whole boolean not null,
    ingest_id integer not null,
    primary key (cluster, hour_at, resource, api_group, api_version, node, username, user_agent, verb)
);
comment on table api_request_counts is 'Requests that OpenShift counted per hour of the last day (oc get apirequestcounts -o json, must-gather): the busiest clients of each API resource by name, all others as one.';
comment on column api_request_counts.cluster is 'Cluster.';
comment on column api_request_counts.hour_at is 'Beginning of the hour, UTC. The object names only hours of the day; the notes of the file say which day was taken.';
comment on column api_request_counts.resource is 'Resource, plural.';
comment on column api_request_counts.api_group is 'API group; empty for the core group.';
comment on column api_request_counts.api_version is 'API version, without the group.';
comment on column api_request_counts.node is 'Node of the API server that counted.';
comment on column api_request_counts.username is 'Authenticated user; empty: all clients outside the list, which by default has the ten busiest of each node.';
comment on column api_request_counts.user_agent is 'User-Agent header; empty for clients outside the list.';
comment on column api_request_counts.verb is 'Verb; empty for clients outside the list.';
comment on column api_request_counts.requests is 'Requests in this hour.';
comment on column api_request_counts.is_whole is 'False for the hour in which the object was taken: it was not over yet.';
comment on column api_request_counts.ingest_id is 'File that the row was read from: ingests.ingest_id.';
