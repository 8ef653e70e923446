-- One row per arrived request that the database already holds.
create or replace temp table audit_known as
select
    audit_id, received_at,
    requests.stages_seen, requests.started_at,
    arrivals.stages_seen & ~requests.stages_seen as stages_gained
from audit_arrivals as arrivals
join requests using (audit_id, received_at)
where requests.cluster = $cluster
    and requests.received_at between $first_at and $last_at
