-- The one row of a redacted database: which key its pseudonyms were made with, without telling it.
create table if not exists redaction (
    key_check varchar not null
);
comment on table redaction is 'One row where the database is redacted (ingest --redact); empty: it holds the evidence as it was.';
comment on column redaction.key_check is 'Salt and digest that recognise the key of the pseudonyms; the key is kept nowhere.';
