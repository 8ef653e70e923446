-- One row per thing that happened, in order.
create or replace view timeline as
with refused as (
    -- What was refused before the overload belongs to another story, such as a start.
    select requests.*
    from requests
    left join incident as overload
        on overload.cluster = requests.cluster and overload.time_window = 'overload'
    where (code = 429 or code >= 500)
        and received_at >= coalesce(overload.begins_at, received_at)
),
moments as (
    select cluster, begins_at as happened_at, 'window' as kind,
        time_window || ' begins' as title, reason as detail
    from incident
    union all
    select cluster, ends_at, 'window', time_window || ' ends', null
    from incident
    union all
    select cluster, applied_at, 'deploy', concat_ws(' ', service, version),
        concat_ws(', ', array_to_string(actions, ', '), 'by ' || actor,
            steps || if(steps = 1, ' step', ' steps'))
    from deploy_candidates
    union all
    select cluster, min(received_at), 'throttling', 'first request answered 429',
        arg_min(concat_ws(' ', component, verb, resource), received_at)
    from refused
    where code = 429
    group by cluster
    union all
    select cluster, min(received_at), 'lockout', component || ' of ' || username || ' is refused',
        count(*) || ' requests answered 429 or 5xx from here on'
    from refused
    where kind = 'human'
    group by cluster, component, username
    union all
    select cluster, seen_at, 'event', reason || ' ' || concat_ws('/', object_kind, object_name),
        message
    from kube_events
    where type = 'Warning'
    union all
    -- The first line of a note is its title.
    select cluster, noted_at, 'note', split_part(text, chr(10), 1),
        nullif(concat_ws(', ', nullif(trim(substr(text, strpos(text || chr(10), chr(10)) + 1)), ''),
            'by ' || actor), '')
    from timeline_notes
)
select
    moments.*,
    coalesce(happened_at between baseline.begins_at and overload.ends_at, true) as in_incident
from moments
left join incident as baseline
    on baseline.cluster = moments.cluster and baseline.time_window = 'baseline'
left join incident as overload
    on overload.cluster = moments.cluster and overload.time_window = 'overload'
order by happened_at, moments.cluster, kind, title;
comment on view timeline is 'What happened, in order: windows, releases, first throttling, refused humans, warning events, notes of people.';
comment on column timeline.cluster is 'Cluster.';
comment on column timeline.happened_at is 'When, UTC.';
comment on column timeline.kind is 'window, deploy, throttling, lockout, event or note.';
comment on column timeline.title is 'What happened.';
comment on column timeline.detail is 'More about it.';
comment on column timeline.in_incident is 'True from the beginning of the baseline to the end of the overload, and everywhere where no window is known.';
