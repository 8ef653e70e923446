"""How long it took to have the API server accept the removal of what caused the overload."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from kubepostmortem.incident import iso
from kubepostmortem.questions.callers import workloads
from kubepostmortem.questions.growth import first_cause
from kubepostmortem.questions.question import Inquiry

# A patch by a pipeline is as likely a further wave of the rollout: of people it is taken as a try.
REMOVALS = """
select
    asked.cluster, received_at, finished_at, username, verb, subresource, resource, namespace,
    name, code
from requests as asked
join incident on incident.cluster = asked.cluster and time_window = 'overload'
where received_at >= begins_at and not dry_run
    and (
        resource in ('daemonsets', 'deployments', 'statefulsets', 'replicasets', 'jobs', 'cronjobs')
        and list_contains($workloads::varchar[], namespace || '/' || name)
        and (verb = 'delete'
            or verb in ('patch', 'update')
            and (subresource = 'scale' or subresource is null and kind = 'human'))
        or resource = 'namespaces' and verb = 'delete'
        and list_contains($namespaces::varchar[], name)
    )
order by received_at, audit_id
"""


@dataclass(frozen=True)
class Removal:
    """Tries to remove or scale down the workload; times are of the API server, UTC.

    forbidden: tries answered 401 or 403; accepted_at: end of the first accepted one; took_s: from
    the first try until then (None: none was accepted), with by as its user.
    """

    workload: str
    tries: int
    refused: int
    forbidden: int
    first_at: datetime | None = None
    accepted_at: datetime | None = None
    took_s: float | None = None
    by: str | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """Plain data, for machines."""
        times = (self.first_at, self.accepted_at)
        first, accepted = (iso(one) if one else None for one in times)
        return asdict(self) | {"first_at": first, "accepted_at": accepted}


def removal(inquiry: Inquiry) -> Removal | None:
    """Look up how the first cause was removed; None where no workload is known to be the cause."""
    top = first_cause(inquiry)
    if top is None or top.component is None:
        return None
    named = [one.workload for one in workloads(inquiry, top.calls)]
    if not named:
        return None
    rows = inquiry.rows(
        "requests that remove, scale or change the workload of the cause",
        REMOVALS,
        workloads=named,
        namespaces=[name.partition("/")[0] for name in named[:1]],
    )
    return _removal(named[0], rows)


def _removal(workload: str, rows: Sequence[dict[str, Any]]) -> Removal:
    refused = sum(row["code"] == 429 or (row["code"] or 0) >= 500 for row in rows)
    forbidden = sum(row["code"] in (401, 403) for row in rows)
    accepted = [row for row in rows if row["finished_at"] and (row["code"] or 999) < 300]
    if not rows:
        return Removal(workload, 0, 0, 0)
    first = rows[0]["received_at"]
    if not accepted:
        return Removal(workload, len(rows), refused, forbidden, first)
    ended = accepted[0]["finished_at"]
    took_s = (ended - first).total_seconds()
    by = accepted[0]["username"]
    return Removal(workload, len(rows), refused, forbidden, first, ended, took_s, by)
