"""What was left after the removal: pods that still ran, requests that still came."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from kubepostmortem.incident import iso
from kubepostmortem.questions.administrators.removal import Removal
from kubepostmortem.questions.calls import MATCHING
from kubepostmortem.questions.cause import Cause
from kubepostmortem.questions.question import Inquiry

LEFT = f"""
select
    count(*) as requests, max(received_at) as last_request_at,
    count(*) filter (code = 429) as refused
from requests
where {MATCHING} and received_at >= $since::timestamp
"""
# Who deletes a workload has its pods deleted one by one, by a controller.
PODS = """
select
    count(distinct name) as pods, min(finished_at) as first_at, max(finished_at) as last_at
from requests
where resource = 'pods' and verb = 'delete' and code < 300 and subresource is null
    and received_at >= $since::timestamp
    and starts_with(namespace || '/' || name, $workload || '-')
"""
FOLLOWED = """
select min(followed_at) as followed_at, any_value(followed_by) as followed_by, count(*) as changes
from followed_changes
where action = 'delete' and namespace || '/' || service = $workload
    and applied_at >= $since::timestamp - interval 1 minute
"""


@dataclass(frozen=True)
class Residual:
    """What followed an accepted removal; times are UTC, None where it never happened.

    requests, refused: of the cause, after the removal was accepted; pods: deleted since then.
    is_delete: whether a deletion was what was accepted, which a controller has to carry out.
    """

    requests: int
    refused: int
    last_request_at: datetime | None
    pods: int
    first_pod_at: datetime | None
    last_pod_at: datetime | None
    followed_at: datetime | None
    is_delete: bool

    @property
    def stalled(self) -> bool:
        """Whether the removal was accepted and nobody carried it out, while calls went on."""
        nobody = self.is_delete and self.followed_at is None and not self.pods
        return nobody and self.requests > 0

    @property
    def facts(self) -> dict[str, Any]:
        """Plain data, for machines."""
        plain = {
            name: iso(value) if isinstance(value, datetime) else value
            for name, value in asdict(self).items()
        }
        return plain | {"stalled": self.stalled}


def residual(inquiry: Inquiry, top: Cause, removed: Removal | None) -> Residual | None:
    """Look up what followed the removal; None where none was accepted."""
    if removed is None or removed.accepted_at is None:
        return None
    since = iso(removed.accepted_at)
    left = inquiry.row(
        "requests of the cause after its removal was accepted",
        LEFT,
        **top.calls.parameters,
        since=since,
    )
    pods = inquiry.row(
        "pods deleted after the removal", PODS, workload=removed.workload, since=since
    )
    followed = inquiry.row(
        "who carried the removal out", FOLLOWED, workload=removed.workload, since=since
    )
    return Residual(
        requests=left["requests"],
        refused=left["refused"],
        last_request_at=left["last_request_at"],
        pods=pods["pods"],
        first_pod_at=pods["first_at"],
        last_pod_at=pods["last_at"],
        followed_at=followed["followed_at"],
        is_delete=followed["changes"] > 0,
    )
