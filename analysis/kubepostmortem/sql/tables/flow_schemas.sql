-- One row per FlowSchema object.
create table if not exists flow_schemas (
    cluster varchar not null,
    name varchar not null,
    precedence integer,
    priority_level varchar,
    distinguisher varchar,
    rules json,
    ingest_id integer not null,
    primary key (cluster, name)
);
comment on table flow_schemas is 'One row per FlowSchema of API Priority and Fairness.';
comment on column flow_schemas.cluster is 'Cluster.';
comment on column flow_schemas.name is 'Name of the flow schema.';
comment on column flow_schemas.precedence is 'matchingPrecedence: the lowest matching one wins.';
comment on column flow_schemas.priority_level is 'Priority level that matching requests go to.';
comment on column flow_schemas.distinguisher is 'Flow distinguisher method: ByUser, ByNamespace or null.';
comment on column flow_schemas.rules is 'Rules: subjects, resource rules and non-resource rules, as in the object.';
comment on column flow_schemas.ingest_id is 'File that the row was read from: ingests.ingest_id.';
