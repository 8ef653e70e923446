-- One row per Kubernetes Event object.
create table if not exists kube_events (
    cluster varchar not null,
    seen_at timestamp not null,
    namespace varchar,
    name varchar not null,
    type varchar,
    reason varchar,
    object_kind varchar,
    object_name varchar,
    message varchar,
    component varchar,
    count integer,
    ingest_id integer not null
);
comment on table kube_events is 'One row per Kubernetes Event object (they expire after an hour by default).';
comment on column kube_events.cluster is 'Cluster.';
comment on column kube_events.seen_at is 'Last time the event was seen, UTC.';
comment on column kube_events.namespace is 'Namespace of the event.';
comment on column kube_events.name is 'Name of the event object.';
comment on column kube_events.type is 'Normal or Warning.';
comment on column kube_events.reason is 'Reason.';
comment on column kube_events.object_kind is 'Kind of the object that it is about.';
comment on column kube_events.object_name is 'Name of the object that it is about.';
comment on column kube_events.message is 'Message.';
comment on column kube_events.component is 'Component that reported it.';
comment on column kube_events.count is 'How many times it was seen.';
comment on column kube_events.ingest_id is 'File that the row was read from: ingests.ingest_id.';
