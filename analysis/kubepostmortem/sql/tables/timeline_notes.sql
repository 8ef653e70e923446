-- One row per entry of a timeline that people or a paging system kept of the incident.
create table if not exists timeline_notes (
    cluster varchar not null,
    noted_at timestamp not null,
    text varchar not null,
    actor varchar,
    reported_by varchar not null,
    ingest_id integer not null
);
comment on table timeline_notes is 'One row per entry of an incident timeline: notes of people, alerts, status updates.';
comment on column timeline_notes.cluster is 'Cluster.';
comment on column timeline_notes.noted_at is 'When it happened, as the entry says, UTC.';
comment on column timeline_notes.text is 'What the entry says.';
comment on column timeline_notes.actor is 'Who or what wrote it.';
comment on column timeline_notes.reported_by is 'Source format that reported it.';
comment on column timeline_notes.ingest_id is 'File that the row was read from: ingests.ingest_id.';
