-- One row per node of a cluster, from kubectl get nodes -o json.
create table if not exists nodes (
    cluster varchar not null,
    node varchar not null,
    created_at timestamp,
    internal_ip varchar,
    kubelet_version varchar,
    os_image varchar,
    container_runtime varchar,
    labels map(varchar, varchar),
    ready boolean,
    ingest_id integer not null,
    primary key (cluster, node)
);
comment on table nodes is 'One row per node, from kubectl get nodes -o json.';
comment on column nodes.cluster is 'Cluster.';
comment on column nodes.node is 'Node name.';
comment on column nodes.created_at is 'When the node joined, UTC.';
comment on column nodes.internal_ip is 'InternalIP address.';
comment on column nodes.kubelet_version is 'Kubelet version.';
comment on column nodes.os_image is 'Operating system image.';
comment on column nodes.container_runtime is 'Container runtime and version.';
comment on column nodes.labels is 'Labels of the node.';
comment on column nodes.ready is 'Condition Ready at the time of the export.';
comment on column nodes.ingest_id is 'File that the row was read from: ingests.ingest_id.';
