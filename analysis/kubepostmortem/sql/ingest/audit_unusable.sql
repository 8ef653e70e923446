-- One row per line read that is no usable audit event: its piece, its ordinal among the non-blank lines, and why.
select
    -- Rows of a piece were written in the order of its lines.
    piece, events.rowid - first_row + 1 as ordinal,
    case
        when coalesce(audit_id, received_at::varchar, stage, verb, uri, username) is null
            then 'not a JSON object'
        when audit_id is null then 'no auditID'
        when received_at is null then 'no usable requestReceivedTimestamp'
        else 'no known stage'
    end as reason
from audit_events as events
join (
    select piece, min(rowid) as first_row from audit_events where piece >= $since group by piece
) using (piece)
where piece >= $since and (audit_id is null or received_at is null or stage_rank(stage) is null)
order by piece, ordinal
