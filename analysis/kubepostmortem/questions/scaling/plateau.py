"""The plateau of an overload, when most clients of the cause called, and their calls, in SQL."""

from __future__ import annotations

from kubepostmortem.questions.calls import CALLS, CLIENT

# The plateau: from when at least 90 % of the most clients called until fewer did. Clients count
# between their first call and their last one.
PLATEAU = f"""
called as (
    select *, {CLIENT} as client {CALLS}
),
lives as (
    select cluster, client, any_value(begins_at) as window_begins_at,
        any_value(ends_at) as window_ends_at, min(received_at) as first_at,
        max(received_at) as last_at
    from called
    group by cluster, client
),
moments as (
    select cluster, moment,
        sum(change) over (partition by cluster order by moment, change desc, client
            rows between unbounded preceding and current row) as active,
        lead(moment) over (partition by cluster order by moment, change desc, client) as until
    from (
        select cluster, client, first_at as moment, 1 as change from lives
        union all
        select cluster, client, last_at, -1 from lives
    )
),
most as (select cluster, max(active) as active from moments group by cluster),
busy as (
    select cluster, min(moment) as busy_from, max(until) as busy_until
    from moments
    join most using (cluster)
    where moments.active >= 0.9 * most.active and until is not null
    group by cluster
),
spans as (
    select lives.cluster, any_value(window_begins_at) as window_begins_at,
        any_value(window_ends_at) as window_ends_at, any_value(busy_from) as busy_from,
        any_value(busy_until) as busy_until,
        -- Where hardly any clients were there together, the whole overload has to do.
        coalesce(epoch(any_value(busy_until) - any_value(busy_from))
            >= 0.1 * epoch(any_value(window_ends_at) - any_value(window_begins_at)), false)
            as is_plateau
    from lives
    left join busy using (cluster)
    group by lives.cluster
),
plateau as (
    select cluster, is_plateau,
        if(is_plateau, busy_from, window_begins_at) as plateau_at,
        if(is_plateau, busy_until, window_ends_at) as plateau_ends_at,
        epoch(plateau_ends_at - plateau_at) as plateau_s
    from spans
)
"""

CELL = "cluster, component, verb, resource, subresource, scope"
SAME_CELL = """{0}.cluster = {1}.cluster and {0}.component = {1}.component
    and {0}.scope = {1}.scope
    and {0}.verb is not distinct from {1}.verb
    and {0}.resource is not distinct from {1}.resource
    and {0}.subresource is not distinct from {1}.subresource"""

# Each call after the one before it of the same client; what follows a failure asks again.
FOLLOWING = f"""
following as (
    select
        called.* exclude (latency_ms),
        if(is_long_running(verb, subresource), null, latency_ms) as took_ms,
        greatest(0, took_ms - coalesce(apf_queue_wait_ms, 0)) as service_ms,
        epoch(received_at - lag(received_at) over one) as gap_s,
        lag(code) over one as code_before,
        lag(took_ms) over one as took_before_ms,
        not coalesce(code_before = 429 or code_before >= 500, false) as is_first_try
    from called
    window one as (partition by {CELL}, client order by received_at, audit_id)
)
"""
