-- One row per setting of an API server: its command line flags and audit policy.
create table if not exists apiserver_config (
    cluster varchar not null,
    apiserver varchar not null,
    setting varchar not null,
    value varchar,
    ingest_id integer not null,
    primary key (cluster, apiserver, setting)
);
comment on table apiserver_config is 'One row per API server setting: command line flags without their dashes, and audit-policy.';
comment on column apiserver_config.cluster is 'Cluster.';
comment on column apiserver_config.apiserver is 'API server instance; empty where the file does not tell.';
comment on column apiserver_config.setting is 'Flag name without dashes, or audit-policy.';
comment on column apiserver_config.value is 'Value as given.';
comment on column apiserver_config.ingest_id is 'File that the row was read from: ingests.ingest_id.';
