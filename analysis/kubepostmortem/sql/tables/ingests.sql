-- One row per input file that was read to its end.
create table if not exists ingests (
    ingest_id integer primary key,
    cluster varchar not null,
    path varchar not null,
    bytes bigint not null,
    modified_ns bigint not null,
    format varchar not null,
    lines bigint not null,
    loaded bigint not null,
    duplicates bigint not null,
    filtered bigint not null,
    rejected bigint not null,
    first_at timestamp,
    last_at timestamp,
    notes varchar
);
comment on table ingests is 'The evidence ledger: one row per input file that was read to its end. lines = loaded + duplicates + filtered + rejected.';
comment on column ingests.ingest_id is 'Number of the file, in the order of reading.';
comment on column ingests.cluster is 'Cluster that the evidence is about, as named at ingest.';
comment on column ingests.path is 'Path of the file as it was given.';
comment on column ingests.bytes is 'Size of the file in bytes, as stored (compressed files: compressed).';
comment on column ingests.modified_ns is 'Modification time of the file, nanoseconds since 1970; path, size and this time recognise a file that was read before.';
comment on column ingests.format is 'Source format, recognised from the content.';
comment on column ingests.lines is 'Records in the file: non-blank lines of line formats; events, samples or objects of documents.';
comment on column ingests.loaded is 'Records accepted. Audit: events accepted, whatever their stage.';
comment on column ingests.duplicates is 'Records that the database already held.';
comment on column ingests.filtered is 'Records left out on purpose; notes names the reason.';
comment on column ingests.rejected is 'Records that could not be used; rejected_lines keeps each with its reason.';
comment on column ingests.first_at is 'Earliest time of the accepted and duplicate records, UTC.';
comment on column ingests.last_at is 'Latest time of the accepted and duplicate records, UTC.';
comment on column ingests.notes is 'What a reader of the ledger should know about this file.';
