-- One row per file that was just read: its lines, the unusable ones, and its span.
select
    ingest_id,
    count(*) as lines,
    count(*) filter (
        audit_id is null or received_at is null or stage_rank(stage) is null) as unusable,
    min(received_at) as first_at,
    max(greatest(received_at, stage_at)) as last_at
from audit_events
group by ingest_id
