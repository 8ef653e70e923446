-- One row per file that was just read: its usable events, and their span.
select ingest_id, count(*) as usable, min(received_at) as first_at, max(greatest(received_at, stage_at)) as last_at
from audit_events
where audit_id is not null and received_at is not null and stage_rank(stage) is not null
group by ingest_id
