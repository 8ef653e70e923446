-- One row per record that could not be used.
create table if not exists rejected_lines (
    ingest_id integer not null,
    line bigint,
    byte_offset bigint,
    reason varchar not null,
    excerpt varchar not null
);
comment on table rejected_lines is 'One row per record that could not be used, with its reason and first kilobyte.';
comment on column rejected_lines.ingest_id is 'File that holds the record: ingests.ingest_id.';
comment on column rejected_lines.line is 'Line number in the file, from 1; of a compressed file, in the uncompressed text.';
comment on column rejected_lines.byte_offset is 'Where the line begins, in bytes from the start of the (uncompressed) text.';
comment on column rejected_lines.reason is 'Why the record was rejected.';
comment on column rejected_lines.excerpt is 'First kilobyte of the record; bytes that are not UTF-8 are shown as \xNN.';
