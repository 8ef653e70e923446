"""What the evidence could not have shown: every answer says it, and is less sure by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kubepostmortem.questions.question import Confidence, Inquiry, Missing
from kubepostmortem.questions.words import percent

SHARE = """
select
    sum(audited_requests) / nullif(sum(counted_requests), 0) as share,
    sum(counted_requests) as counted
from coverage
"""

# What lies outside of the windows concerns no answer.
LIMITS = """
select limits.cluster, limit_kind, severity, says
from evidence_limits as limits
left join (
    select cluster, min(begins_at) as begins_at, max(ends_at) as ends_at
    from incident group by cluster
) as windows using (cluster)
where severity <> 'info'
    and coalesce(began_at < ends_at, true) and coalesce(ended_at > begins_at, true)
order by severity, limits.cluster, limit_kind, began_at, says
"""

UNKNOWN = "no request counter"  # the limit that says that nothing is known of the others
SAID = 4  # limits that an answer spells out
LOWER: dict[Confidence, Confidence] = {"high": "medium", "medium": "low"}


@dataclass(frozen=True)
class Coverage:
    """How far the evidence reaches.

    share: part of the requests counted by the API server that the audit log shows; None: unknown.
    limits: what weakens or blinds an answer, rows of evidence_limits.
    """

    share: float | None
    limits: Sequence[dict[str, Any]] = field(default=())

    @property
    def caveats(self) -> list[str]:
        """The share and the gravest limits as sentences."""
        said = [limit["says"] for limit in self.limits]
        more = len(said) - SAID
        rest = [f"{more} more limits of the evidence: see `kubepostmortem inspect`."]
        return [*self._shown(), *said[:SAID], *(rest if more > 0 else [])]

    @property
    def missing(self) -> list[Missing]:
        """What to collect where the share is unknown."""
        if self.share is not None:
            return []
        return [Missing("apiserver_request_total", "export it from Prometheus with query_range")]

    def weaken(self, confidence: Confidence, compares: bool = False) -> Confidence:
        """Lower a confidence: by a step where a limit weakens it, to low where one blinds.

        compares: the answer compares callers, so an unknown share of them weakens it, too.
        """
        grave = [one for one in self.limits if compares or one["limit_kind"] != UNKNOWN]
        if confidence == "none" or not grave:
            return confidence
        if any(one["severity"] == "blinds" for one in grave):
            return "low"
        return LOWER.get(confidence, "low")

    def _shown(self) -> list[str]:
        if self.share is None:
            return []
        return [
            f"The audit log shows {percent(min(self.share, 1.0))} of the requests that the API "
            "server counted in apiserver_request_total over the same time."
        ]


def coverage(inquiry: Inquiry) -> Coverage:
    """Look up how much of the requests the log shows, and the limits of the evidence."""
    seen = inquiry.settled("requests in the audit log against the API server's counter", SHARE)
    limits = inquiry.settled("limits of the evidence that concern the windows", LIMITS)
    share = seen["share"].item()
    return Coverage(None if share is None else float(share), limits.to_dicts())
