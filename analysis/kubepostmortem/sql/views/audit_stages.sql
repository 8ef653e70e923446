-- One row per cluster and audit stage: how many requests should have it, and how many do in the log.
create or replace view audit_stages as
with requested as (
    select
        cluster,
        count(*) as requests,
        count(*) filter (is_long_running(verb, subresource)) as long_running,
        count(*) filter (stages_seen & 1 > 0) as received,
        count(*) filter (stages_seen & 2 > 0 and is_long_running(verb, subresource)) as started,
        count(*) filter (finished_at is not null) as finished,
        count(*) filter (finished_at is null and not is_long_running(verb, subresource)) as in_flight
    from requests
    group by cluster
),
stages as (
    select cluster, 1 as place, 'RequestReceived' as stage, requests as expected_requests,
        received as logged_requests, null as open_requests
    from requested
    union all
    select cluster, 2, 'ResponseStarted', long_running, started, null from requested
    union all
    select cluster, 3, 'ResponseComplete', requests, finished, in_flight from requested
)
select
    cluster, stage, expected_requests, logged_requests,
    logged_requests / nullif(expected_requests, 0) as logged_share,
    -- A policy omits a stage for all; 20 requests, so that chance and cut files prove nothing.
    expected_requests >= 20 and logged_requests < 0.01 * expected_requests as omitted,
    open_requests::bigint as open_requests
from stages
order by cluster, place;
comment on view audit_stages is 'Which audit stages the log has: a policy may omit some (omitStages), and a crash leaves requests without their last one.';
comment on column audit_stages.cluster is 'Cluster.';
comment on column audit_stages.stage is 'RequestReceived, ResponseStarted or ResponseComplete (or Panic instead).';
comment on column audit_stages.expected_requests is 'Requests that have this stage: all; for ResponseStarted those that are long-running.';
comment on column audit_stages.logged_requests is 'Those of which the log has it.';
comment on column audit_stages.logged_share is 'Logged of expected.';
comment on column audit_stages.omitted is 'True where hardly any request has it (below 1 % of at least 20): the policy omits the stage.';
comment on column audit_stages.open_requests is 'Requests, long-running ones aside, that had not ended when the log did; null for other stages.';
