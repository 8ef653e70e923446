"""The limits that a growing cause meets: seats or requests in flight, and cores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from kubepostmortem.flowcontrol.allocation import nominal_limits
from kubepostmortem.questions.cause import Cause
from kubepostmortem.questions.question import Inquiry
from kubepostmortem.questions.scaling.points import Point
from kubepostmortem.simulation.effective import Effective, effective
from kubepostmortem.simulation.placement import placements

READS = {"get", "list", "watch"}

CORES = """
select sum(most) as cores
from (
    select instance, max(most) as most
    from process_health
    where metric = 'go_sched_gomaxprocs_threads' and process = 'API server' and cluster = $cluster
    group by instance
)
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """What there is of something: at least, and at most where others lend theirs.

    measure: of the laws (seats, executing, cpu); name: in a sentence; known_from: objects, metrics,
    or the plateau of a cluster that was held back.
    """

    measure: str
    name: str
    least: float
    most: float
    known_from: str

    @property
    def facts(self) -> dict[str, Any]:
        """Plain data, for machines."""
        return asdict(self)


def limits(inquiry: Inquiry, top: Cause, found: Sequence[Point]) -> list[Limit]:
    """Return the limits of the largest cluster, of all its API servers together."""
    largest = found[-1]
    known = effective(inquiry, largest.cluster)
    of_requests = (
        _seats(inquiry, top, known, largest) if known.apf else _in_flight(top, known, largest)
    )
    return [one for one in (of_requests, _cores(inquiry, found)) if one]


def _seats(inquiry: Inquiry, top: Cause, known: Effective, largest: Point) -> Limit | None:
    level = _level(inquiry, top, known, largest.cluster)
    levels = known.configuration.priority_levels
    if level is None or level not in levels or levels[level].exempt:
        return None
    seats = nominal_limits(known.server.limit, levels.values())
    kept = sum(one.lower for name, one in seats.items() if name != level)
    whole = sum(one.nominal for one in seats.values())
    least = seats[level].nominal
    most = max(least, min(seats[level].upper, whole - kept))
    return Limit(
        "seats",
        f"the seats of priority level {level}",
        float(least * largest.servers),
        float(most * largest.servers),
        "flow control in force",
    )


def _level(inquiry: Inquiry, top: Cause, known: Effective, cluster: str) -> str | None:
    """Return the level that most requests of the cause's component fell into."""
    rows = placements(inquiry, known, cluster)
    own = rows.filter(
        (pl.col("component") == top.component) if top.component else pl.lit(True),
        pl.col("requests_overload") > 0,
    )
    found = own.group_by("priority_level", maintain_order=True).agg(pl.sum("requests_overload"))
    ranked = found.sort("requests_overload", descending=True, maintain_order=True)
    return str(ranked["priority_level"][0]) if len(ranked) else None


def _in_flight(top: Cause, known: Effective, largest: Point) -> Limit:
    reads = set(top.verbs or (top.verb,)) <= READS
    flag = "--max-requests-inflight" if reads else "--max-mutating-requests-inflight"
    one = known.max_requests_inflight if reads else known.max_mutating_requests_inflight
    amount = float(one * largest.servers)
    return Limit("executing", f"the requests in flight ({flag})", amount, amount, "flags")


def _cores(inquiry: Inquiry, found: Sequence[Point]) -> Limit | None:
    """Return the cores that processes may use, else those that held-back clusters used at most."""
    largest = found[-1].cluster
    told = inquiry.row("cores that the API servers may use", CORES, cluster=largest)["cores"]
    if told:
        return Limit("cpu", "the cores of the API servers", told, told, "metrics")
    used = max((one.cores.value for one in found if one.cores), default=0.0)
    held = [one for one in found if one.cores and one.held_back]
    if not held or used > max(one.cores.value for one in held if one.cores):
        return None
    name = "the cores that API servers had in effect"
    return Limit("cpu", name, used, used, "plateau")
