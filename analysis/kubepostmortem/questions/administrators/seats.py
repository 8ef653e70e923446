"""Lists that fill a priority level by their width, and what no limit holds back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kubepostmortem.flowcontrol.allocation import nominal_limits
from kubepostmortem.flowcontrol.classify import Call, Caller, classify
from kubepostmortem.questions.administrators.identities import AUTHENTICATED
from kubepostmortem.questions.administrators.overloads import Overload, Status
from kubepostmortem.questions.question import Inquiry
from kubepostmortem.questions.words import number, percent
from kubepostmortem.simulation.effective import Effective

WIDE = "wide lists that fill a level"
EXEMPT = "exempt requests"
SERVER = "requests that no limit holds back"

# One request of each component that lists as widely as any.
WIDEST = """
with wide as (
    select cluster, component, resource, max(initial_seats) as seats
    from request_seats
    where verb = 'list' and seats_known and initial_seats > 1
    group by all
)
select
    wide.cluster, wide.component, wide.resource, seats, count(*) as requests,
    any_value(username order by received_at) as username,
    any_value(user_groups order by received_at) as user_groups,
    any_value(api_group order by received_at) as api_group,
    any_value(namespace order by received_at) as namespace
from wide
join overload_requests as asked
    on asked.cluster = wide.cluster and asked.component = wide.component
    and asked.resource = wide.resource and verb = 'list'
where username is not null
group by all
order by wide.cluster, seats desc, requests desc, wide.component, wide.resource
"""
# How many seats a level had free, and in how many samples.
FREE = """
select
    used.cluster, priority_level,
    greatest(limit_seats - coalesce(seats_in_use, 0), 0)::bigint as free, count(*) as samples
from seats_over_time as used
join incident
    on incident.cluster = used.cluster and time_window = 'overload'
    and sampled_at >= begins_at and sampled_at < ends_at
where priority_level <> 'exempt' and limit_seats is not null
group by all
order by all
"""
EXEMPT_PART = """
select
    count(*) as requests,
    count(*) filter (
        list_contains(user_groups, 'system:masters') and impersonated_user is null
        or resource is null and regexp_matches(uri_path, '^/(healthz|readyz|livez)(/|$)')
    ) as exempt,
    max(epoch(ends_at - begins_at)) as window_s
from overload_requests
"""
# The same request of the same user in both windows: what differs is the server.
SLOWER = """
with calls as (
    select
        asked.cluster, time_window, username, verb, coalesce(resource, uri_path) as resource, scope,
        median(latency_ms) as usual_ms, count(*) as requests
    from requests as asked
    join incident
        on incident.cluster = asked.cluster
        and received_at >= begins_at and received_at < ends_at
    where list_contains(user_groups, 'system:masters') and impersonated_user is null
        and not is_long_running(verb, subresource) and latency_ms is not null and code <> 429
    group by all
)
select
    sum(now.requests)::bigint as requests,
    sum(now.requests * now.usual_ms) / sum(now.requests) as overload_ms,
    sum(now.requests * before.usual_ms) / sum(now.requests) as baseline_ms
from calls as now
join calls as before
    on before.cluster = now.cluster and before.time_window = 'baseline'
    and before.username = now.username
    and before.verb = now.verb and before.resource = now.resource and before.scope = now.scope
where now.time_window = 'overload'
"""


def wide_lists(inquiry: Inquiry, in_force: Mapping[str, Effective]) -> Overload:
    """Tell levels whose free seats were too few for the lists that fell into them.

    A wide list at the head of a queue then holds up everybody else in the level. A flow may also
    fill a level alone: hand size times width against its nominal limit (kubernetes issue 115409).
    """
    free = inquiry.rows("free seats of the priority levels", FREE)
    if not any(effective.apf for effective in in_force.values()):
        says = "API Priority and Fairness was off: in-flight limits count requests, however wide."
        return Overload(WIDE, "not seen", says)
    lists = inquiry.rows("widest lists of the overload", WIDEST)
    wide = [found for row in lists if (found := _in_level(row, in_force[row["cluster"]]))]
    if not wide:
        return Overload(WIDE, "not seen", "No list was wider than one seat in its level.")
    if not free:
        says = f"{_says(wide[0])} How full it was: metric current_limit_seats missing."
        return Overload(WIDE, "not testable", says, _numbers(wide[0]))
    fullest = max(wide, key=lambda one: _full(one, free))
    part = _full(fullest, free)
    says = f"{_says(fullest)} In {percent(part)} of the samples too few seats were free for one."
    status: Status = "overloaded" if part >= 0.25 else "strained" if part >= 0.05 else "not seen"
    return Overload(WIDE, status, says, _numbers(fullest) | {"full": part})


def exempt(inquiry: Inquiry) -> Overload:
    """Exempt requests themselves: nothing limits them, so too many are an overload of their own."""
    row = inquiry.row("exempt requests in the overload", EXEMPT_PART)
    part = row["exempt"] / row["requests"] if row["requests"] else 0.0
    rate = row["exempt"] / row["window_s"] if row["window_s"] else 0.0
    status: Status = "overloaded" if part >= 0.5 else "strained" if part >= 0.2 else "not seen"
    says = (
        f"Members of system:masters and health probes sent {number(rate)} requests per second, "
        f"{percent(part)} of all."
    )
    return Overload(EXEMPT, status, says, {"share": part, "per_s": rate})


def slower(inquiry: Inquiry) -> Overload:
    """How much longer requests took that wait in no queue: what is left is the server's own."""
    row = inquiry.row("requests of system:masters, the same ones in both windows", SLOWER)
    if not row["requests"] or not row["baseline_ms"]:
        says = "Not testable: members of system:masters did not ask for the same in both windows."
        return Overload(SERVER, "not testable", says)
    factor = row["overload_ms"] / row["baseline_ms"]
    status: Status = "overloaded" if factor >= 5 else "strained" if factor >= 2 else "not seen"
    says = (
        f"What system:masters asks for waits in no queue; it took {number(row['overload_ms'])} ms, "
        f"{number(factor)} times as long as in the baseline"
    )
    rest = "." if status == "not seen" else ": the server itself, or etcd, was slow."
    return Overload(SERVER, status, says + rest, row | {"factor": factor})


def _in_level(row: dict[str, Any], effective: Effective) -> dict[str, Any] | None:
    """Return these lists with the level that they fall into; None: one seat is all they take."""
    caller = Caller(row["username"], tuple(row["user_groups"] or (AUTHENTICATED,)))
    call = Call("list", row["api_group"] or "", row["resource"], namespace=row["namespace"] or "")
    levels = effective.configuration.priority_levels
    level = levels[classify(effective.configuration, caller, call).priority_level]
    if not effective.apf or level.queuing is None:
        return None
    limits = nominal_limits(effective.server.limit, levels.values())[level.name]
    width = min(row["seats"], limits.widest_request or row["seats"])
    if width < 2:
        return None
    hand = level.queuing.hand_size
    return row | {"level": level.name, "width": width, "hand": hand, "nominal": limits.nominal}


def _full(wide: Mapping[str, Any], free: Sequence[dict[str, Any]]) -> float:
    """Return the part of the samples in which a list did not fit into its level."""
    here = [
        row
        for row in free
        if (row["cluster"], row["priority_level"]) == (wide["cluster"], wide["level"])
    ]
    short = sum(row["samples"] for row in here if row["free"] < wide["width"])
    return short / sum(row["samples"] for row in here) if here else 0.0


def _says(wide: Mapping[str, Any]) -> str:
    alone = wide["hand"] * wide["width"] >= wide["nominal"]
    return (
        f"A list of {wide['resource']} by {wide['component']} takes {wide['width']} of the "
        f"{wide['nominal']} seats of the level {wide['level']}"
        + (f"; {wide['hand']}, a hand of queues, fill it." if alone else ".")
    )


def _numbers(wide: Mapping[str, Any]) -> dict[str, float | int | None]:
    return {name: wide[name] for name in ("width", "hand", "nominal")}
