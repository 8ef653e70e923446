-- One row per limit that lies in the files: what was rejected, cut, or never in them.
create or replace view limits_of_inputs as
with audit_formats as (
    select distinct cluster, format from ingests
    semi join requests using (cluster, ingest_id)
),
latest as (
    -- A file that was read again (it grew, or a zone was told) counts as it was read last.
    from ingests
    qualify row_number() over (partition by cluster, path order by ingest_id desc) = 1
),
formats as (
    select
        cluster, format, count(*) as files, sum(lines)::bigint as lines,
        sum(rejected)::bigint as rejected, min(first_at) as first_at, max(last_at) as last_at,
        -- The most that the console and the API of CloudWatch Logs Insights give.
        count(*) filter (format ilike '%insights%' and lines = 10000) as capped
    from latest
    group by all
),
cut as (
    select cluster, format, count(*) as cut_lines
    from rejected_lines
    join latest using (ingest_id)
    where reason ilike '%truncated%'
    group by all
),
judged as materialized (
    -- Only an audit log that is damaged can hide a caller.
    select formats.*, rejected / nullif(lines, 0) as share, coalesce(cut_lines, 0) as cut_lines,
        (cluster, format) in (from audit_formats) as is_audit
    from formats
    left join cut using (cluster, format)
)
select
    cluster, 'no audit log' as limit_kind, 'blinds' as severity, 'requests' as subject,
    null::timestamp as began_at, null::timestamp as ended_at, null::double as share,
    'No audit log was ingested, so nothing here tells who called.' as says
from clusters
anti join requests using (cluster)
union all
select
    cluster, 'rejected records',
    case when not is_audit or share < 0.01 then 'info' when share < 0.2 then 'weakens'
        else 'blinds' end,
    format, first_at, last_at, share,
    if(format = 'unknown',
        format('{} of a format that is not known: nothing in it was used.',
            how_many(files, 'file is', 'files are')),
        format('{:,} of {} ({}) in {} of the format {} could not be used.', rejected,
            how_many(lines, 'record', 'records'), in_percent(share),
            how_many(files, 'file', 'files'), format))
from judged
where rejected > 0
union all
select
    cluster, 'truncated lines', if(cut_lines < 0.01 * lines, 'info', 'weakens'), format,
    first_at, last_at, cut_lines / lines,
    format('{} of {:,} ({}) of the format {} cut by the pipeline; long events are lost first.',
        how_many(cut_lines, 'record', 'records'), lines, in_percent(cut_lines / lines),
        format || if(cut_lines = 1, ' was', ' were'))
from judged
where cut_lines > 0
union all
select
    cluster, 'truncated events', 'info', 'requests', min(received_at) filter (truncated),
    max(received_at) filter (truncated), count(*) filter (truncated) / count(*),
    format('{} too large for the audit sink: only bodies of objects were cut.',
        how_many(count(*) filter (truncated), 'request was', 'requests were'))
from requests
group by cluster
having bool_or(truncated)
union all
select
    cluster, 'capped export', 'weakens', format, first_at, last_at, null,
    format('{} exactly 10,000 records, the most that Logs Insights exports: what came after is not '
        'in it.', how_many(capped, 'file holds', 'files hold'))
from judged
where capped > 0
union all
select
    cluster, 'format without detail', 'weakens', format, first_at, last_at, null,
    'GKE Cloud Logging has no query strings, HTTP codes or durations of most requests: the cost '
        'and the shape of reads are not known, and load is counted in requests.'
from judged
where format = 'GKE Cloud Logging' and is_audit;
comment on view limits_of_inputs is 'Part of evidence_limits: what was rejected, cut, capped, or never in the files.';
