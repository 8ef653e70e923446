-- One row per input file: what became of its records, rejections by reason.
create or replace view ledger as
select
    ingest_id, cluster, path, format, lines, loaded, duplicates, filtered, rejected,
    coalesce(reasons, map {}) as rejected_by_reason, first_at, last_at, notes
from ingests
left join (
    select ingest_id, map_from_entries(list((reason, records) order by reason)) as reasons
    from (
        select ingest_id, reason, count(*) as records
        from rejected_lines
        group by all
    )
    group by ingest_id
) using (ingest_id)
order by ingest_id;
comment on view ledger is 'What became of the records of each input file: ingests, with the rejected records by reason.';
comment on column ledger.rejected_by_reason is 'Rejected records by reason.';
