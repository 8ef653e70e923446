-- One row per change that reached the cluster.
create table if not exists deploys (
    cluster varchar not null,
    applied_at timestamp not null,
    ends_at timestamp,
    namespace varchar,
    service varchar not null,
    kind varchar,
    version varchar,
    actor varchar,
    action varchar,
    status varchar,
    reported_by varchar not null,
    ingest_id integer not null
);
comment on table deploys is 'One row per change that reached the cluster: releases, configuration, scaling, rollbacks.';
comment on column deploys.cluster is 'Cluster.';
comment on column deploys.applied_at is 'When the change was applied (or began), UTC.';
comment on column deploys.ends_at is 'When it was done, UTC, where the record says.';
comment on column deploys.namespace is 'Namespace.';
comment on column deploys.service is 'What was deployed.';
comment on column deploys.kind is 'Kind of object (DaemonSet, Deployment, ...), where known.';
comment on column deploys.version is 'Version, revision or image.';
comment on column deploys.actor is 'Who or what applied it.';
comment on column deploys.action is 'What was done (deploy, rollout wave, rollback, delete, ...).';
comment on column deploys.status is 'State reported (started, applied, finished, ...).';
comment on column deploys.reported_by is 'Source format that reported it.';
comment on column deploys.ingest_id is 'File that the row was read from: ingests.ingest_id.';
