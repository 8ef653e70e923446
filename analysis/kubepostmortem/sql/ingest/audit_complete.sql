-- Requests that were open and have now ended: their old row makes place for the new one.
delete from requests
using audit_known as known
where requests.cluster = $cluster
    and requests.audit_id = known.audit_id
    and requests.received_at = known.received_at
    and known.stages_gained > known.stages_seen
