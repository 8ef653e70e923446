-- One row per line that is JSON: its time, its message, and the values that stand under $paths.
select
    line,
    -- Milliseconds since 1970 with fractions; out of range it is no time.
    case when milliseconds between 0 and 253402300799999
        then make_timestamp(round(milliseconds * 1e3)::bigint) end as logged_at,
    message, found
from (
    select
        line,
        try_cast(json_extract_string(json, '$.ts') as double) as milliseconds,
        json_extract_string(json, '$.msg') as message,
        json_extract_string(json, $paths) as found
    from (select line, case when json_valid(body) then body end as json from klog_json_lines)
)
order by line
