"""Nodes that calls came from over time, beside the nodes that the rollout reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from kubepostmortem.questions.calls import CALLS, Calls
from kubepostmortem.questions.question import Inquiry

REACHED = f"""
called as (
    select cluster, node, min(received_at) as first_at
    {CALLS} and node is not null
    group by all
),
reached as (
    select cluster, node, min(appeared_at) as first_at
    from pods_first_seen
    where is_new and node is not null and list_contains($workloads::varchar[], workload)
    group by all
)
"""

CURVES = f"""
with {REACHED}
select part, time_bucket(to_seconds(interval_s), first_at) as interval_at,
    sum(count(*)) over (partition by part
        order by time_bucket(to_seconds(interval_s), first_at))::bigint as nodes
from (
    select 'nodes that called' as part, * from called
    union all
    select 'nodes with a new pod', * from reached
)
join intervals using (cluster)
group by part, interval_at
order by part, interval_at
"""

TIMES = f"""
with {REACHED}
select
    count(*) as nodes,
    min(called.first_at) as first_at,
    quantile_disc(called.first_at, 0.5) as half_at,
    quantile_disc(called.first_at, 0.9) as most_at,
    max(called.first_at) as last_at,
    count(reached.node) as with_new_pod,
    median(epoch(called.first_at - reached.first_at)) as start_lag_s,
    -- Of large numbers that differ little: fewer digits hold.
    round(corr(epoch(called.first_at), epoch(reached.first_at)), 6) as correlation
from called
left join reached using (cluster, node)
"""


@dataclass(frozen=True)
class Covered:
    """When calls came from how many nodes.

    half_at, most_at: when they had come from half of these nodes, and from 90 %; with_new_pod: how
    many of the nodes had got a new pod of the calling workload; start_lag_s: from that pod's
    appearance (its placing, where the log shows it) to the first call, median; correlation: of the
    two times over nodes (Pearson; None: too few, or all at once).
    """

    nodes: int
    first_at: datetime | None
    half_at: datetime | None
    most_at: datetime | None
    last_at: datetime | None
    with_new_pod: int
    start_lag_s: float | None
    correlation: float | None


def covered(inquiry: Inquiry, calls: Calls, workloads: Sequence[str]) -> Covered:
    """Look up when the calls of the overload first came from each node."""
    row = inquiry.row("when nodes began to call", TIMES, **_bound(calls, workloads))
    correlation = row["correlation"]
    known = correlation is not None and correlation == correlation  # no NaN
    return Covered(**row | {"correlation": correlation if known else None})


def curves(inquiry: Inquiry, calls: Calls, workloads: Sequence[str]) -> pl.DataFrame:
    """Return part, interval_at, nodes: how many nodes had called, and had a new pod, by then."""
    return inquiry.frame("nodes reached over time", CURVES, **_bound(calls, workloads))


def _bound(calls: Calls, workloads: Sequence[str]) -> dict[str, Any]:
    return calls.parameters | {"workloads": list(workloads)}
