"""Retries: how much of the offered load repeats what was refused, and how soon it is repeated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kubepostmortem.questions.calls import CALLS, MATCHING, Calls
from kubepostmortem.questions.question import Inquiry

RETRIES = f"""
select
    (select count(*) {CALLS}) as requests,
    count(*) as retries,
    count(*) filter (at_usual_pace) as at_usual_pace,
    count(*) filter (code_before = 429) as after_429,
    avg(obeyed::integer) as obeyed_share,
    median(pause_s) filter (code_before = 429) as pause_after_429_s,
    quantile_cont(pause_s, 0.1) filter (code_before = 429) as pause_after_429_p10_s,
    quantile_cont(pause_s, 0.9) filter (code_before = 429) as pause_after_429_p90_s,
    count(*) filter (code_before >= 500) as after_5xx,
    median(pause_s) filter (code_before >= 500) as pause_after_5xx_s
from retries
join incident
    on incident.cluster = retries.cluster and time_window = 'overload'
    and received_at >= begins_at and received_at < ends_at
where {MATCHING}
"""

OFFERED = """
select * exclude (time_window)
from offered_load
where time_window = 'overload' and retries > 0
order by retries desc, cluster, component, verb
limit $most
"""


@dataclass(frozen=True)
class Retrying:
    """How clients repeat what was refused, in the overload.

    retries: requests that repeat one that ended with 429 or 5xx; at_usual_pace: of them, those that
    may be the next round of a client that polls; obeyed_share: part of the retries after a 429 that
    waited at least 1 s, the least Retry-After (None: no such retries); pauses in seconds: median,
    10th and 90th percentile.
    """

    requests: int
    retries: int
    at_usual_pace: int
    after_429: int
    obeyed_share: float | None
    pause_after_429_s: float | None
    pause_after_429_p10_s: float | None
    pause_after_429_p90_s: float | None
    after_5xx: int
    pause_after_5xx_s: float | None

    @property
    def unique_requests(self) -> int:
        """Requests that are no retries."""
        return self.requests - self.retries

    @property
    def retry_factor(self) -> float | None:
        """Requests offered per unique request; None where all are retries."""
        return self.requests / self.unique_requests if self.unique_requests else None


def retrying(inquiry: Inquiry, calls: Calls) -> Retrying:
    """Describe the retries among these calls."""
    return Retrying(**inquiry.row("retries, and how soon they come", RETRIES, **calls.parameters))


def offered(inquiry: Inquiry, most: int = 10) -> list[dict[str, Any]]:
    """Return the rows of offered_load in the overload with the most retries, largest first."""
    return inquiry.rows("offered load with and without retries", OFFERED, most=most)
