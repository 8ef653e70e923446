-- One row per Deployment, DaemonSet or StatefulSet, from kubectl -o json.
create table if not exists workloads (
    cluster varchar not null,
    kind varchar not null,
    namespace varchar not null,
    name varchar not null,
    created_at timestamp,
    service_account varchar,
    images varchar[],
    replicas integer,
    ready integer,
    ingest_id integer not null,
    primary key (cluster, kind, namespace, name)
);
comment on table workloads is 'One row per Deployment, DaemonSet or StatefulSet, from kubectl -o json.';
comment on column workloads.cluster is 'Cluster.';
comment on column workloads.kind is 'Deployment, DaemonSet or StatefulSet.';
comment on column workloads.namespace is 'Namespace.';
comment on column workloads.name is 'Name.';
comment on column workloads.created_at is 'When the object was created, UTC.';
comment on column workloads.service_account is 'Service account of its pods, as namespace:name.';
comment on column workloads.images is 'Container images.';
comment on column workloads.replicas is 'Pods wanted (DaemonSet: nodes that should run one).';
comment on column workloads.ready is 'Pods ready at the time of the export.';
comment on column workloads.ingest_id is 'File that the row was read from: ingests.ingest_id.';
