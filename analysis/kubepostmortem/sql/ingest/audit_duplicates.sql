-- One row per file: how many of its events were read before, in this batch or an earlier one.
select ingest_id, count(*) filter (nth > 1 or known) as duplicates
from (
    select
        events.ingest_id,
        row_number() over (
            partition by events.audit_id, events.received_at, events.stage
            order by events.ingest_id) as nth,
        coalesce(known.stages_seen & (1 << (stage_rank(events.stage) - 1)), 0) > 0 as known
    from audit_events as events
    left join audit_known as known using (audit_id, received_at)
    where events.audit_id is not null and events.received_at is not null
        and stage_rank(events.stage) is not null
)
group by ingest_id
