"""How each component fared: answered requests and latency, since when it failed, until when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal

from kubepostmortem.incident import iso
from kubepostmortem.questions.question import Inquiry

HARMED = 0.95  # answered share of an interval: below it a component fails
CUT_OFF = 0.5  # the same over the overload: below it a component is cut off
SLOWER = 5.0  # times the usual median latency, and at least SLOW_MS
SLOW_MS = 100.0
SOME = 5  # answers in an interval, below which their median says nothing
FEW = 5  # requests in the overload, below which nothing is said of a component

State = Literal["stopped", "cut off", "failing", "slow", "unharmed", "hardly called"]

WINDOWS = """
select
    now.cluster, now.component, now.kind, now.requests, now.requests_per_s,
    now.answered_share, now.refused, now.failed, now.p50_ms, now.p99_ms,
    before.requests_per_s as baseline_per_s, before.answered_share as baseline_share,
    before.p50_ms as baseline_p50_ms, before.p99_ms as baseline_p99_ms
from availability_by_window as now
left join availability_by_window as before
    on before.cluster = now.cluster and before.component = now.component
    and before.time_window = 'baseline'
where now.time_window = 'overload'
order by now.cluster, now.component
"""

# From the first interval with failures to the end of the last one. It is over where as much as
# half a minute, and three intervals of its own, follow in which it is answered.
FAILING = """
with seen as (
    select
        over_time.*, interval_at + to_seconds(interval_s) as ended_at,
        over_time.answered_share < $harmed as harmed,
        over_time.answered >= $some
            and over_time.p50_ms >= greatest($slower * usual.p50_ms, $slow_ms) as slow
    from availability_over_time as over_time
    left join availability_by_window as usual
        on usual.cluster = over_time.cluster and usual.component = over_time.component
        and usual.time_window = 'baseline'
    join incident
        on incident.cluster = over_time.cluster and incident.time_window = 'overload'
        and interval_at >= begins_at
),
spans as (
    select
        cluster, component,
        min(interval_at) filter (harmed) as failed_at,
        min(interval_at) filter (slow) as slow_at,
        max(ended_at) filter (harmed) as last_failed_at,
        min(answered_share) as least_share,
        sum(interval_s) filter (harmed) as failing_s
    from seen
    group by cluster, component
),
afterwards as (
    select
        cluster, component, count(*) >= 3
            and epoch(max(ended_at) - any_value(last_failed_at)) >= 30 as over
    from seen
    join spans using (cluster, component)
    where interval_at >= last_failed_at
    group by cluster, component
)
select spans.*, coalesce(over, false) as over
from spans
left join afterwards using (cluster, component)
where failed_at is not null or slow_at is not null
order by cluster, component
"""

OVER_TIME = """
select
    over_time.cluster, component, interval_at, interval_s, requests, answered_share, p50_ms, p99_ms
from availability_over_time as over_time
join (
    select cluster, min(begins_at) as begins_at from incident group by cluster
) as windows
    on windows.cluster = over_time.cluster and interval_at >= begins_at
order by cluster, component, interval_at
"""


@dataclass(frozen=True)
class Fared:
    """How one component of a cluster fared in the overload, and before.

    Shares are of requests that were answered (not 429, not 5xx, not given up); latencies are of
    answered requests, milliseconds. failed_at, recovered_at: from the first interval with less
    than 95 % answered to the end of the last one (None: not over when the log ended), UTC.
    slow_at: first interval with five times the usual latency. stopped_at: when it lost an election
    for good: it no longer calls, so its requests no longer tell.
    """

    cluster: str
    component: str
    kind: str
    requests: int
    requests_per_s: float
    answered_share: float
    refused: int
    failed: int
    p50_ms: float | None
    p99_ms: float | None
    baseline_per_s: float | None
    baseline_share: float | None
    baseline_p50_ms: float | None
    baseline_p99_ms: float | None
    failed_at: datetime | None = None
    recovered_at: datetime | None = None
    failing_s: float = 0.0
    least_share: float | None = None
    slow_at: datetime | None = None
    stopped_at: datetime | None = None

    @property
    def harmed_at(self) -> datetime | None:
        """Since when it was harmed as its state says; None: it was not."""
        if self.state == "slow":
            return self.slow_at
        return self.failed_at if self.state in ("stopped", "cut off", "failing") else None

    @property
    def slowdown(self) -> float | None:
        """How many times its usual median latency."""
        if self.p50_ms is None or not self.baseline_p50_ms:
            return None
        return self.p50_ms / self.baseline_p50_ms

    @property
    def state(self) -> State:
        """What became of it, in two words."""
        if self.stopped_at:
            return "stopped"
        if self.requests < FEW:
            return "hardly called"
        if self.answered_share < CUT_OFF:
            return "cut off"
        if self.answered_share < HARMED:
            return "failing"
        slow = (self.slowdown or 0) >= SLOWER and (self.p50_ms or 0) >= SLOW_MS
        return "slow" if slow else "unharmed"

    @property
    def facts(self) -> dict[str, Any]:
        """Plain data, for machines."""
        names = ("failed_at", "recovered_at", "slow_at", "stopped_at")
        times = {name: getattr(self, name) for name in names}
        return (
            asdict(self)
            | {name: iso(time) if time else None for name, time in times.items()}
            | {"state": self.state, "slowdown": self.slowdown}
        )


def fared(inquiry: Inquiry, leaders: Sequence[dict[str, Any]]) -> tuple[Fared, ...]:
    """Return how every component fared, those that failed first and in the order of failing.

    leaders: elections that were lost, as stops has them.
    """
    rows = inquiry.rows("how each component was answered in the two windows", WINDOWS)
    bounds = {"harmed": HARMED, "slower": SLOWER, "slow_ms": SLOW_MS, "some": SOME}
    spans = inquiry.rows("since when each failed or was slow, and until when", FAILING, **bounds)
    failing = {(row["cluster"], row["component"]): row for row in spans}
    lost = {
        (row["cluster"], row["component"]): row["expires_at"]
        for row in leaders
        if row["renewed_again_at"] is None
    }
    found = [
        replace(_fared(row, failing.get(key)), stopped_at=lost.get(key))
        for row in rows
        for key in [(row["cluster"], row["component"])]
    ]
    return tuple(
        sorted(
            found,
            key=lambda one: (
                one.failed_at is None,
                one.failed_at or datetime.max,
                one.answered_share,
                -(one.slowdown or 0),
                one.component,
            ),
        )
    )


def _fared(row: dict[str, Any], span: dict[str, Any] | None) -> Fared:
    if span is None:
        return Fared(**row, least_share=row["answered_share"])
    return Fared(
        **row,
        failed_at=span["failed_at"],
        recovered_at=span["last_failed_at"] if span["over"] else None,
        slow_at=span["slow_at"],
        failing_s=float(span["failing_s"] or 0),
        least_share=span["least_share"],
    )
