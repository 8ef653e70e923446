"""How the requests of administrators fared in the overload."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import polars as pl

from kubepostmortem.incident import iso
from kubepostmortem.questions.question import Inquiry

IN_TIME_S = 10  # a person, or --request-timeout=10s, waits no longer
STEPS_S = (10, 30, 60, 300, 900, 3600)
BARS = 40  # that a chart has at most

ATTEMPTS = """
select
    caller_group as "group", count(*) as attempts,
    count(*) filter (outcome = 'answered') as answered,
    count(*) filter (outcome = 'slow') as slow,
    count(*) filter (outcome = 'refused') as refused,
    count(*) filter (outcome = 'failed') as failed,
    count(*) filter (outcome = 'open') as open,
    count(*) filter (outcome = 'failed' and latency_ms >= 5000) as failed_after_5_s,
    median(epoch(ended_at - received_at)) as median_s,
    max(epoch(ended_at - received_at)) as slowest_s
from admin_requests as asked
join incident
    on incident.cluster = asked.cluster and time_window = $time_window
    and received_at >= incident.begins_at and received_at < incident.ends_at
group by caller_group
order by caller_group
"""
OPERATIONS = """
select
    caller_group as "group", count(*) as operations,
    count(*) filter (answered) as operations_answered,
    count(*) filter (answered and took_s <= $in_time_s) as operations_in_time
from admin_operations as wanted
join incident
    on incident.cluster = wanted.cluster and time_window = $time_window
    and wanted.begins_at >= incident.begins_at and wanted.begins_at < incident.ends_at
group by caller_group
order by caller_group
"""
# From the first request after an answer to the next answer: time that nobody asked is no gap.
GAPS = """
with asked as (
    select
        asked.cluster, caller_group, received_at, coalesce(ended_at, received_at) as ended_at,
        outcome in ('answered', 'slow') as got
    from admin_requests as asked
    join incident
        on incident.cluster = asked.cluster and time_window = $time_window
        and received_at >= incident.begins_at and received_at < incident.ends_at
),
numbered as (
    select *, count(*) filter (got) over (
        partition by cluster, caller_group order by received_at, ended_at
        rows between unbounded preceding and 1 preceding) as answers_before
    from asked
)
select
    caller_group as "group", min(received_at) as gap_began_at, max(ended_at) as gap_ended_at,
    bool_or(got) as gap_closed, epoch(gap_ended_at - gap_began_at) as longest_gap_s
from numbered
group by cluster, caller_group, answers_before
qualify row_number() over (
    partition by caller_group order by longest_gap_s desc, gap_began_at) = 1
order by caller_group
"""
HANG_UPS = """
with ended as (
    select client_name, round(latency_ms / 1000)::integer as after_s, count(*) as requests
    from admin_requests as asked
    join incident
        on incident.cluster = asked.cluster and time_window = 'overload'
        and received_at >= incident.begins_at and received_at < incident.ends_at
    where outcome in ('failed', 'slow') and latency_ms >= 1000
    group by all
)
select * from ended
qualify requests >= 3 and requests >= 0.5 * sum(requests) over (partition by client_name)
order by requests desc, client_name, after_s
limit 3
"""
OVER_TIME = """
select
    time_bucket(to_seconds($step_s), received_at) as minute, caller_group as "group",
    if(outcome = 'refused', 'refused (429)', outcome) as outcome,
    count(*) as requests
from admin_requests
group by all
order by "group", minute, outcome
"""
SPAN = """
select coalesce(epoch(max(received_at) - min(received_at)), 0) as span_s from admin_requests
"""


@dataclass(frozen=True)
class Fared:
    """What became of the requests of one group (admins or system:masters) in a window.

    An operation is a request with its immediate retries; in time: answered within 10 s after its
    first try. The longest gap is the longest time that members asked and got no answer, seconds;
    gap_closed: False where the window ended first.
    """

    group: str
    attempts: int
    answered: int
    slow: int
    refused: int
    failed: int
    open: int
    failed_after_5_s: int
    median_s: float | None
    slowest_s: float | None
    operations: int
    operations_answered: int
    operations_in_time: int
    longest_gap_s: float
    gap_began_at: datetime
    gap_ended_at: datetime
    gap_closed: bool

    @property
    def share_in_time(self) -> float:
        """Part of the operations that were answered in time."""
        return self.operations_in_time / self.operations if self.operations else 0.0

    @property
    def facts(self) -> dict[str, Any]:
        """Plain data, for machines."""
        times = {name: iso(getattr(self, name)) for name in ("gap_began_at", "gap_ended_at")}
        return asdict(self) | times | {"share_in_time": self.share_in_time}


def fared(inquiry: Inquiry, time_window: str) -> tuple[Fared, ...]:
    """Return how each group that asked in a window fared, admins first."""
    bound = {"time_window": time_window}
    rows = inquiry.rows(f"attempts in the {time_window}", ATTEMPTS, **bound)
    wanted = inquiry.rows(
        f"operations in the {time_window}", OPERATIONS, **bound, in_time_s=IN_TIME_S
    )
    gaps = inquiry.rows(f"longest time without an answer in the {time_window}", GAPS, **bound)
    operations = {row["group"]: row for row in wanted}
    without = {row["group"]: row for row in gaps}
    none = {"operations": 0, "operations_answered": 0, "operations_in_time": 0}
    return tuple(
        Fared(**(row | (operations.get(row["group"]) or none) | without[row["group"]]))
        for row in rows
    )


def hang_ups(inquiry: Inquiry) -> list[dict[str, Any]]:
    """Return times after which most unanswered requests of a client end: its own time-out."""
    return inquiry.rows("requests that end after the same time", HANG_UPS)


def over_time(inquiry: Inquiry) -> pl.DataFrame:
    """Count attempts by group and outcome, per minute; finer where the log is short."""
    span_s = inquiry.row("time that the attempts span", SPAN)["span_s"]
    step_s = next((step for step in STEPS_S if span_s / step <= BARS), STEPS_S[-1])
    return inquiry.frame("attempts over time", OVER_TIME, step_s=step_s)
