"""How many clients call from one node, and how much each node adds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kubepostmortem.questions.calls import CALLS, CLIENT, Calls
from kubepostmortem.questions.question import Inquiry
from kubepostmortem.questions.reading import Pace, paces

# Pods that follow one another (a restart, an update) are one client at a time.
PER_NODE = f"""
with clients as (
    select cluster, node, {CLIENT} as client, count(*) as requests,
        min(received_at) as first_at, max(received_at) as last_at, any_value(ends_at) as ends_at
    {CALLS} and node is not null
    group by all
),
overlapping as (
    select *, coalesce(first_at < max(last_at) over earlier, false) as is_beside
    from clients
    window earlier as (partition by cluster, node order by first_at, client
        rows between unbounded preceding and 1 preceding)
),
nodes as (
    select cluster, node, 1 + count(*) filter (is_beside) as clients, sum(requests) as requests,
        sum(requests) / nullif(epoch(any_value(ends_at) - min(first_at)), 0) as requests_per_s
    from overlapping
    group by all
)
select clients, count(*) as nodes, median(requests) as requests,
    quantile_cont(requests, 0.95) as requests_p95, median(requests_per_s) as requests_per_s
from nodes
group by clients
order by clients
"""


@dataclass(frozen=True)
class Group:
    """Nodes with the same number of clients at a time.

    requests: of one node in the overload, median and 95th percentile; requests_per_s: of one node
    since its first call, median (None: a single instant).
    """

    clients: int
    nodes: int
    requests: float
    requests_p95: float
    requests_per_s: float | None


def per_node(inquiry: Inquiry, calls: Calls) -> tuple[Group, ...]:
    """Count nodes by the number of clients that call from one at a time, fewest clients first."""
    rows = inquiry.rows("clients at a time per node", PER_NODE, **calls.parameters)
    return tuple(Group(**row) for row in rows)


def one_each(groups: Sequence[Group]) -> bool:
    """Tell whether hardly any node has more than one client at a time: at most one of ten."""
    nodes = sum(group.nodes for group in groups)
    return nodes > 0 and sum(g.nodes for g in groups if g.clients == 1) >= 0.9 * nodes


def node_rps(inquiry: Inquiry, calls: Calls, groups: Sequence[Group]) -> float:
    """Return requests per second that one node offers.

    By the pace of its clients where they call by the clock; else what was seen, which refusals and
    queues may have held back.
    """
    offered = _offered(paces(inquiry, calls))
    nodes = sum(group.nodes for group in groups)
    if offered and nodes:
        return offered * sum(group.clients * group.nodes for group in groups) / nodes
    known = [group for group in groups if group.requests_per_s is not None]
    most = max(known, key=lambda group: group.nodes, default=None)
    return float(most.requests_per_s or 0) if most else 0.0


def _offered(found: Sequence[Pace]) -> float | None:
    clocked = [pace.interval_s for pace in found if pace.periodic and pace.interval_s > 0]
    return sum(1 / one for one in clocked) if found and len(clocked) == len(found) else None
