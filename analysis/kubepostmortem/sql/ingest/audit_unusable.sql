-- One row per line read that is no usable audit event: its piece, its ordinal among the non-blank lines, and why.
select
    piece, ordinal,
    case
        when coalesce(audit_id, received_at::varchar, stage, verb, uri, username) is null
            then 'not a JSON object'
        when audit_id is null then 'no auditID'
        when received_at is null then 'no usable requestReceivedTimestamp'
        else 'no known stage'
    end as reason
from (
    -- Rows of a piece were written in the order of its lines.
    select *, rowid - min(rowid) over (partition by piece) + 1 as ordinal from audit_events
)
where audit_id is null or received_at is null or stage_rank(stage) is null
order by piece, ordinal
