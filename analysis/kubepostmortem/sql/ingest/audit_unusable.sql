-- One row per line of a file that is no usable audit event: its ordinal among the non-blank lines, and why.
select
    ordinal,
    case
        when coalesce(audit_id, received_at::varchar, stage, kind) is null
            then 'not a JSON object'
        when audit_id is null then 'no auditID'
        when received_at is null then 'no usable requestReceivedTimestamp'
        else 'no known stage'
    end as reason
from (
    select
        row_number() over () as ordinal, kind, auditID as audit_id, stage,
        event_time(requestReceivedTimestamp) as received_at
    from read_json(
        $path,
        format = 'newline_delimited',
        compression = $compression,
        ignore_errors = true,
        maximum_object_size = 67108864,
        columns = {
            kind: 'VARCHAR',
            auditID: 'VARCHAR',
            requestReceivedTimestamp: 'TIMESTAMP',
            stage: 'VARCHAR'
        }
    )
)
where audit_id is null or received_at is null or stage_rank(stage) is null
order by ordinal
