-- One row per arrived request that is known: the database holds it, or it is held as still open.
create or replace temp table audit_known as
select
    audit_id, received_at,
    known.stages_seen, known.started_at, known.held,
    arrivals.stages_seen & ~known.stages_seen as stages_gained
from audit_arrivals as arrivals
join (
    select audit_id, received_at, stages_seen, started_at, false as held from requests
    where cluster = $cluster and received_at between $first_at and $last_at
    union all
    select audit_id, received_at, stages_seen, started_at, true from audit_open
) as known using (audit_id, received_at)
