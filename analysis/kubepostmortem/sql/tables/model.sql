-- The one row tells which version of the model the relations were built from.
create table if not exists model (
    fingerprint varchar not null
);
comment on table model is 'Which version of the model this database was built with.';
comment on column model.fingerprint is 'Digest of all statements that build the model.';
