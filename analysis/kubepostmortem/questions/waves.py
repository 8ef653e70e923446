"""When the clients of a cause came, and how the load followed their number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from kubepostmortem.attribution.fan_out import FanOut, fan_out
from kubepostmortem.questions.calls import CALLS, CLIENT, MATCHING, Calls
from kubepostmortem.questions.question import Inquiry

NEAR = "interval 10 minutes"  # before the overload: what came earlier did not begin it

ROLLOUTS = f"""
select rollouts.cluster, workload, began_at, ended_at, pods as clients, nodes, share,
    'new pods' as known_by
from rollouts
join incident
    on incident.cluster = rollouts.cluster and time_window = 'overload'
    and began_at < ends_at and ended_at >= begins_at - {NEAR}
where list_contains($workloads::varchar[], workload)
order by began_at, cluster, workload
"""

# Clients count as new by the rule of pods_first_seen, and split into waves by that of rollouts.
FIRST_CALLS = f"""
with clients as (
    select cluster, {CLIENT} as client, mode(node) as node, min(received_at) as first_at,
        epoch(max(received_at) - min(received_at)) / nullif(count(*) - 1, 0) as silence_s
    from requests
    where {MATCHING}
    group by all
),
fresh as (
    select *, first_at - lag(first_at) over (partition by cluster order by first_at, client)
        as pause
    from (
        select clients.*, incident.ends_at, incident.begins_at,
            intervals.begins_at + to_seconds(greatest(60, 2 * coalesce(
                median(silence_s) over (partition by clients.cluster), 0))) as known_since
        from clients
        join intervals using (cluster)
        join incident on incident.cluster = clients.cluster and time_window = 'overload'
    )
    where first_at > known_since and first_at < ends_at and first_at >= begins_at - {NEAR}
),
numbered as (
    select *, sum(begins_wave::integer) over (partition by cluster order by first_at, client
        rows between unbounded preceding and current row) as wave
    from (
        select *, coalesce(pause > greatest(interval 15 seconds, least(interval 5 minutes,
            5 * median(pause) over (partition by cluster))), true) as begins_wave
        from fresh
    )
)
select cluster, null::varchar as workload, min(first_at) as began_at, max(first_at) as ended_at,
    count(*) as clients, count(distinct node) as nodes,
    count(*) / any_value((select count(*) from clients as c where c.cluster = numbered.cluster))
        as share,
    'first calls' as known_by
from numbered
group by cluster, wave
-- Clients that come one by one are no waves.
having count(*) >= 0.1 * any_value((select count(*) from fresh as f
    where f.cluster = numbered.cluster))
order by began_at, cluster
"""

WIDTH = "select coalesce(max(interval_s), 1)::double as width_s from intervals"

# Clients count in the spans that they call through, between their first call and their last one:
# so that none of them is only half there. Whom the API server refuses or keeps waiting cannot call
# at its own pace, until a call of its is answered in time; so the others tell what each offers.
OFFERED = f"""
with calls as (
    select cluster, {CLIENT} as client,
        floor(epoch(received_at - begins_at) / $width_s)::integer as span,
        if(is_long_running(verb, subresource),
            coalesce(code >= 429, false),
            coalesce(code >= 429 or latency_ms > 500 * $width_s, true)) as hindered
    {CALLS}
),
counted as (
    select cluster, client, span, count(*) as requests, bool_or(hindered) as hindered
    from calls
    group by all
),
lives as (
    select cluster, client, unnest(range(min(span), max(span) + 1)) as span
    from counted
    group by cluster, client
),
active as (
    select span, coalesce(requests, 0) as requests,
        not coalesce(hindered, false)
            and not last_value(hindered ignore nulls) over earlier as free
    from lives
    left join counted using (cluster, client, span)
    window earlier as (partition by cluster, client order by span
        rows between unbounded preceding and 1 preceding)
    qualify row_number() over (partition by cluster, client order by span) > 1
        and row_number() over (partition by cluster, client order by span desc) > 1
)
select span, count(*) as clients,
    clients * avg(requests) filter (free) / $width_s as requests_per_s
from active
group by span
having count(*) filter (free) >= greatest(2, 0.1 * count(*))
order by span
"""


@dataclass(frozen=True)
class Wave:
    """Clients that appeared shortly after one another; share: of all clients that are known."""

    cluster: str
    workload: str | None
    began_at: datetime
    ended_at: datetime
    clients: int
    nodes: int
    share: float
    known_by: str


def waves(inquiry: Inquiry, calls: Calls, workloads: Sequence[str]) -> tuple[Wave, ...]:
    """Return the waves of these workloads' rollouts, else of the calls' new clients, in order."""
    rows = inquiry.rows("waves of the rollout", ROLLOUTS, workloads=list(workloads))
    if not rows:
        rows = inquiry.rows("waves of new clients", FIRST_CALLS, **calls.parameters)
    return tuple(Wave(**row) for row in rows)


def law(inquiry: Inquiry, calls: Calls, interval_s: float | None) -> FanOut | None:
    """Fit offered load against the number of active clients over the overload.

    interval_s: how often a client calls; spans are no shorter, so that each calls in each. None
    where the clients hardly vary in number, or hardly any is left alone by the API server.
    """
    width_s = max(interval_s or 0.0, inquiry.row("width of a span", WIDTH)["width_s"])
    rows = inquiry.frame(
        "clients and the load that they offer", OFFERED, width_s=width_s, **calls.parameters
    )
    points = rows.select("clients", "requests_per_s").to_numpy().T.astype(float)
    return fan_out(points[0], points[1])
