-- One row per kind of object in an exported kubectl list: how many there were.
create table if not exists listed_objects (
    cluster varchar not null,
    resource varchar not null,
    objects bigint not null,
    ingest_id integer not null
);
comment on table listed_objects is 'How many objects of a resource an exported kubectl list holds.';
comment on column listed_objects.cluster is 'Cluster.';
comment on column listed_objects.resource is 'Resource, plural and with its group as metrics name it (pods, daemonsets.apps).';
comment on column listed_objects.objects is 'Objects in the list.';
comment on column listed_objects.ingest_id is 'File that the row was read from: ingests.ingest_id.';
