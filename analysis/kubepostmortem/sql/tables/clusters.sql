-- One row per cluster in the database.
create table if not exists clusters (
    cluster varchar primary key
);
comment on table clusters is 'One row per cluster in the database.';
comment on column clusters.cluster is 'Name given at ingest.';
