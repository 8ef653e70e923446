-- One row per request among the events just read: the stages seen and the row of the last stage.
create or replace temp table audit_arrivals as
select
    audit_id,
    received_at,
    bit_or(1 << (stage_rank(stage) - 1))::utinyint as stages_seen,
    max(stage_at) filter (stage = 'ResponseStarted') as started_at,
    count(*) as events,
    -- The event of the highest stage tells most, and of equal ones the first, as it would in files
    -- read one after another. Packed into one number, max() is cheap; rows of an open transaction
    -- are numbered from 2^55 on, so the stage goes above bit 57.
    (1::bigint << 57) - 1 - (
        max((stage_rank(stage)::bigint << 57) | ((1::bigint << 57) - 1 - rowid))
        & ((1::bigint << 57) - 1)) as last_event
from audit_events
where audit_id is not null and received_at is not null and stage_rank(stage) is not null
group by audit_id, received_at
