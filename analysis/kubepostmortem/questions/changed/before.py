"""The shape of requests in the baseline and in the overload, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kubepostmortem.questions.calls import CLIENT, MATCHING, Calls
from kubepostmortem.questions.cause import Cause
from kubepostmortem.questions.question import Inquiry

SHAPES = f"""
select
    time_window,
    coalesce(resource, uri_path) as resource,
    request_shape(verb, scope, page_limit, continues, resource_version,
        field_selector, label_selector, send_initial_events) as shape,
    sum(1 / epoch(ends_at - begins_at)) as requests_per_s,
    count(distinct (requests.cluster, {CLIENT})) as clients
from requests
join incident
    on incident.cluster = requests.cluster
    and received_at >= begins_at and received_at < ends_at
where {MATCHING}
group by 1, 2, 3
"""

COMPARED = f"""
with shapes as ({SHAPES})
select
    resource, shape,
    coalesce(sum(requests_per_s) filter (time_window = 'baseline'), 0) as baseline_rps,
    coalesce(sum(requests_per_s) filter (time_window = 'overload'), 0) as overload_rps,
    coalesce(sum(clients) filter (time_window = 'baseline'), 0)::bigint as baseline_clients,
    coalesce(sum(clients) filter (time_window = 'overload'), 0)::bigint as overload_clients
from shapes
group by resource, shape
order by abs(overload_rps - baseline_rps) desc, resource, shape
limit 20
"""

# Who lists and watches the same resource has an informer, which lists anew where its watch breaks.
WATCHING = f"""
select resource, avg(watches::integer) as also_watch
from (
    select cluster, {CLIENT} as client, resource,
        bool_or(verb = 'list') as lists, bool_or(verb = 'watch') as watches
    from requests
    where {MATCHING} and resource is not null
    group by all
)
where lists
group by resource
order by resource
"""


@dataclass(frozen=True)
class Change:
    """Requests per second and clients of one shape of request, in the two windows."""

    resource: str | None
    shape: str
    baseline_rps: float
    overload_rps: float
    baseline_clients: int
    overload_clients: int


def every_verb(top: Cause) -> Calls:
    """Its calls for the same resources with any verb, where it is one component."""
    return Calls(top.component, None, top.calls.resources) if top.component else top.calls


def changes(inquiry: Inquiry, top: Cause) -> tuple[Change, ...]:
    """Return the shapes of requests for the cause's resources, the most changed first."""
    rows = inquiry.rows(
        "shapes of its requests in both windows", COMPARED, **every_verb(top).parameters
    )
    return tuple(Change(**row) for row in rows)


def also_watch(inquiry: Inquiry, top: Cause) -> dict[str, float]:
    """Return per resource which part of the clients that list it watches it, too."""
    rows: list[dict[str, Any]] = inquiry.rows(
        "which of its clients watch what they list", WATCHING, **every_verb(top).parameters
    )
    return {row["resource"]: row["also_watch"] for row in rows}
