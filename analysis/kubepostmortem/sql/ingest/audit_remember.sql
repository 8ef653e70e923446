-- Requests whose last stage was known already: only remember the stages that came late.
update requests
set stages_seen = requests.stages_seen | known.stages_gained,
    started_at = coalesce(requests.started_at, known.started_at)
from (
    select k.audit_id, k.received_at, k.stages_gained, a.started_at
    from audit_known as k
    join audit_arrivals as a using (audit_id, received_at)
    where k.stages_gained > 0 and k.stages_gained < k.stages_seen
) as known
where requests.cluster = $cluster
    and requests.audit_id = known.audit_id
    and requests.received_at = known.received_at
