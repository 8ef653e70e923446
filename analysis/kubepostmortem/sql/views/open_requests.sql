-- One row per request that had not ended when the log did.
create or replace view open_requests as
select * from requests where finished_at is null;
comment on view open_requests is 'Requests without a final stage: open watches, and what was in flight when the log (or the API server) ended.';
