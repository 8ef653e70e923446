-- One row per call of a client: its first try; retries are part of the call.
create or replace view client_calls as
with tried as (
    select cluster, audit_id, received_at
    from retries
    -- What comes as late as the next round of a client that polls is a call of its own.
    where not at_usual_pace
),
quiet as (
    select cluster, component, verb, resource, subresource, scope, cost_ms as quiet_ms
    from class_costs
    where span = 'baseline' and answered >= 20
),
executed as (
    select
        requests.*, quiet_ms,
        case
            -- Of what is open, nothing is known; greatest would take 0 for a null.
            when code = 429 or (finished_at is null and requests.verb is distinct from 'watch') then null
            when requests.verb = 'watch' then epoch(started_at - received_at) * 1e3
            else greatest(0, latency_ms - coalesce(apf_queue_wait_ms, 0))
        end as service_ms,
        time_bucket(interval 30 second, received_at) as near
    from requests
    left join quiet
        on quiet.cluster = requests.cluster and quiet.component = requests.component
        and quiet.scope = requests.scope
        and quiet.verb is not distinct from requests.verb
        and quiet.resource is not distinct from requests.resource
        and quiet.subresource is not distinct from requests.subresource
),
-- How much slower than in quiet times calls were that are known from there.
slowed as (
    select
        cluster, near, verb, verb_class(verb) as verb_class,
        -- Whole nanoseconds, since a sum of fractions depends on their order.
        greatest(1, sum((service_ms * 1e6)::bigint) / sum((quiet_ms * 1e6)::bigint)) as slowdown
    from executed
    where code < 400 and quiet_ms > 0
    group by grouping sets ((cluster, near, verb), (cluster, near, verb_class(verb)))
),
-- A class that is new in the overload is judged by when it was least congested.
newcomers_slowed as (
    select
        executed.*, coalesce(same_verb.slowdown, same_class.slowdown, 1) as slowdown
    from executed
    asof left join (from slowed where verb is not null) as same_verb
        on same_verb.cluster = executed.cluster and same_verb.verb = executed.verb
        and executed.near >= same_verb.near
    asof left join (from slowed where verb is null) as same_class
        on same_class.cluster = executed.cluster
        and same_class.verb_class = verb_class(executed.verb)
        and executed.near >= same_class.near
    where code < 400 and quiet_ms is null and service_ms is not null
),
least_slowed as (
    select *, slowdown <= quantile_cont(slowdown, 0.1) over class as least
    from newcomers_slowed
    window class as (partition by cluster, component, verb, resource, subresource, scope)
),
-- Requests for one object cost about the same, whichever it is.
one_object as (
    select cluster, verb, max(quiet_ms) as most_ms
    from quiet
    where scope = 'object'
    group by all
),
newcomers as (
    select
        cluster, component, least_slowed.verb, resource, subresource, scope,
        least(median(service_ms / slowdown), any_value(most_ms) filter (scope = 'object'))
            as newcomer_ms
    from least_slowed
    left join one_object using (cluster, verb)
    where least
    group by all
)
select
    calls.cluster, apiserver, received_at, audit_id, calls.component,
    coalesce(impersonated_user, username, '') as caller,
    if(impersonated_user is null, user_groups, null) as caller_groups,
    caller_group(username, user_groups, calls.component, kind, calls.verb, calls.resource,
        calls.subresource) as caller_group,
    calls.verb, api_group, calls.resource, calls.subresource, namespace,
    if(calls.resource is null, uri_path, null) as path,
    page_limit, continues,
    -- Which version is asked for does not matter, whether it is one does.
    case when resource_version is null or resource_version in ('', '0') then resource_version
        else '1' end as resource_version,
    resource_version_match,
    if(names_one_object(field_selector), 'metadata.name=one', field_selector) as field_selector,
    label_selector is not null as selects_labels,
    send_initial_events,
    coalesce(pod, concat(username, '@', source_ip)) as client,
    code, latency_ms, service_ms,
    coalesce(quiet_ms, newcomer_ms, service_ms, 1) as base_ms,
    case when calls.verb = 'watch' then epoch(finished_at - coalesce(started_at, received_at)) * 1e3
        end as watch_ms
from executed as calls
anti join tried using (cluster, audit_id, received_at)
left join newcomers
    on newcomers.cluster = calls.cluster and newcomers.component = calls.component
    and newcomers.scope = calls.scope
    and newcomers.verb is not distinct from calls.verb
    and newcomers.resource is not distinct from calls.resource
    and newcomers.subresource is not distinct from calls.subresource
-- Who is not authenticated is turned away before flow control sees it.
where calls.code is distinct from 401 or username is not null;
comment on view client_calls is 'What clients wanted, whatever they were answered: a call is a request with its retries, given by its first try. The replay of flow control starts from them.';
comment on column client_calls.cluster is 'Cluster.';
comment on column client_calls.apiserver is 'API server instance; empty where it is unknown.';
comment on column client_calls.received_at is 'When the first try was received, UTC.';
comment on column client_calls.audit_id is 'Audit-ID of the first try.';
comment on column client_calls.component is 'Component.';
comment on column client_calls.caller is 'User that flow control sees: the impersonated one where there is one.';
comment on column client_calls.caller_groups is 'Groups of that user; null: the log does not keep those of impersonated users.';
comment on column client_calls.caller_group is 'Group of callers, see macro caller_group.';
comment on column client_calls.verb is 'Verb.';
comment on column client_calls.api_group is 'API group.';
comment on column client_calls.resource is 'Resource; null: non-resource URL.';
comment on column client_calls.subresource is 'Subresource.';
comment on column client_calls.namespace is 'Namespace.';
comment on column client_calls.path is 'Path of a non-resource URL.';
comment on column client_calls.page_limit is 'Page size asked for.';
comment on column client_calls.continues is 'True where a further page is asked for.';
comment on column client_calls.resource_version is 'Resource version asked for; 1 stands for any but 0.';
comment on column client_calls.resource_version_match is 'Query parameter resourceVersionMatch.';
comment on column client_calls.field_selector is 'Field selector; one that leaves a single object, without its name.';
comment on column client_calls.selects_labels is 'True where there is a label selector.';
comment on column client_calls.send_initial_events is 'True where a watch asks for the whole collection first.';
comment on column client_calls.client is 'Who asks: the pod, else the user at an address.';
comment on column client_calls.code is 'Answer to the first try.';
comment on column client_calls.latency_ms is 'Latency of the first try; of a watch, its lifetime.';
comment on column client_calls.service_ms is 'How long the first try was executed: without its wait in a queue, of a watch until it began. Null: refused, or not known.';
comment on column client_calls.base_ms is 'How long such a call executes in quiet times: what a tenth of the baseline stays below, see class_costs; of a class that is new, when it was least congested, divided by how much slower others were then; for one object, at most what others pay for one.';
comment on column client_calls.watch_ms is 'How long a watch went on; null: no watch, or open at the end of the log.';
