-- One row per request that is still open where the events read so far end, as it will be in requests.
create or replace temp table audit_open as
-- Here it can change: changing what one transaction inserted makes DuckDB write all of it again.
select held.* replace (
    held.stages_seen | coalesce(known.stages_gained, 0) as stages_seen,
    coalesce(held.started_at, arrivals.started_at) as started_at)
from audit_open as held
left join audit_known as known using (audit_id, received_at)
left join audit_arrivals as arrivals using (audit_id, received_at)
where known.audit_id is null or known.stages_gained < known.stages_seen
union all by name
from audit_folded($cluster, false, $more)
