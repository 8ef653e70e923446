"""What people and pipelines tried, what it was aimed at, and what came of it."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from kubepostmortem.incident import iso
from kubepostmortem.questions.question import Inquiry

Aim = Literal["removal", "protection", "restart", "capacity", "rollout", "other change"]

ACTIONS = "from recovery_actions order by began_at, cluster, actor, resource, name"
RESTARTS = "from server_restarts order by started_at, cluster, instance"
JOINED = """
select nodes.cluster, count(*) as nodes, min(first_at) as began_at
from new_nodes as nodes
join incident
    on incident.cluster = nodes.cluster and time_window = 'overload' and first_at >= begins_at
where joined_after_baseline
group by nodes.cluster
order by nodes.cluster
"""
REPORTED = """
select deploys.cluster, applied_at as began_at, namespace, service, actor, action, status,
    reported_by
from deploys
join incident
    on incident.cluster = deploys.cluster and time_window = 'overload'
    and applied_at >= begins_at
where regexp_matches(lower(concat_ws(' ', action, status)),
    'roll ?-?back|revert|delet|remov|uninstall|scale|pause|abort')
order by began_at, deploys.cluster, service
"""
NOTES = """
select notes.cluster, noted_at, text, actor from timeline_notes as notes
join incident
    on incident.cluster = notes.cluster and time_window = 'overload' and noted_at >= begins_at
order by noted_at, notes.cluster, text
limit 50
"""
PROTECTION = ("network policy", "flow control", "access", "admission webhooks")
SAME = timedelta(minutes=2)  # a report and a request so near each other are the same act
DELETES = ("delete", "deletecollection")
PIPELINES = ("ci", "gitops")


@dataclass(frozen=True)
class Action:
    """One attempt; times are UTC. outcome: accepted, refused, failed, forbidden, rejected, open.

    aim: removal (of the cause), protection (limits, blocks, rights), restart (of something else),
    capacity (API servers, nodes), rollout (the cause itself spreads), other change. how: from the
    audit log, metrics, or reported by others, who tell of no outcome.
    """

    cluster: str
    began_at: datetime
    what: str
    aim: Aim
    outcome: str
    code: int | None
    tries: int
    refused: int
    failed: int
    took_s: float | None
    accepted_at: datetime | None
    actor: str | None
    how: str

    @property
    def facts(self) -> dict[str, Any]:
        """Plain data, for machines."""
        return asdict(self) | {
            "began_at": iso(self.began_at),
            "accepted_at": iso(self.accepted_at) if self.accepted_at else None,
        }


def actions(inquiry: Inquiry, causes: Collection[str]) -> tuple[Action, ...]:
    """Return everything that was tried from the overload on, in order.

    causes: workloads (namespace/name) that are the cause.
    """
    asked = [_asked(row, causes) for row in inquiry.rows("changes that were asked for", ACTIONS)]
    reported = [
        _reported(row, causes)
        for row in inquiry.rows("rollbacks and removals that were reported", REPORTED)
    ]
    asked = [_as_reported(one, asked, reported) for one in asked]
    new = [one for one in reported if not any(_same(one, other) for other in asked)]
    servers = [_started(row) for row in inquiry.rows("API servers that started", RESTARTS)]
    nodes = [_joined(row) for row in inquiry.rows("nodes that joined", JOINED)]
    return tuple(sorted([*asked, *new, *servers, *nodes], key=lambda one: one.began_at))


def notes(inquiry: Inquiry) -> list[dict[str, Any]]:
    """Return what people wrote down from the overload on: a network block shows nowhere else."""
    rows = inquiry.rows("notes of people", NOTES)
    return [row | {"noted_at": iso(row["noted_at"])} for row in rows]


def attempts(found: Sequence[Action]) -> tuple[Action, ...]:
    """Leave out what was no attempt to help: the rollout of the cause, and other changes."""
    return tuple(one for one in found if one.aim not in ("rollout", "other change"))


def _asked(row: dict[str, Any], causes: Collection[str]) -> Action:
    place = "/".join(filter(None, [row["namespace"], row["name"]]))
    kind = "/".join(filter(None, [row["resource"], row["subresource"]]))
    return Action(
        cluster=row["cluster"],
        began_at=row["began_at"],
        what=" ".join(filter(None, [row["verb"], kind, place])),
        aim=_aim(row, causes),
        outcome=row["outcome"],
        code=row["code"],
        tries=row["tries"],
        refused=row["refused"],
        failed=row["failed"],
        took_s=row["took_s"],
        accepted_at=row["accepted_at"],
        actor=row["actor"],
        how="audit log",
    )


def _aim(row: dict[str, Any], causes: Collection[str]) -> Aim:
    if _is_cause(row, causes):
        spreads = row["caller_kind"] in PIPELINES and row["verb"] not in (
            "delete",
            "deletecollection",
        )
        return "rollout" if spreads and row["subresource"] != "scale" else "removal"
    if row["target"] in PROTECTION:
        return "protection"
    if row["target"] == "nodes":
        return "capacity"
    removes = row["verb"] in DELETES or row["subresource"] == "eviction"
    if row["target"] in ("pods", "leader election") and removes:
        return "restart"
    return "other change"


def _is_cause(row: dict[str, Any], causes: Collection[str]) -> bool:
    """Tell whether a request is about the workload of the cause, its pods or its namespace."""
    if row["target"] == "namespace":
        return row["verb"] == "delete" and any(
            cause.partition("/")[0] == row["name"] for cause in causes
        )
    name = f"{row['namespace']}/{row['name'] or ''}"
    if row["target"] == "pods":
        return any(re.match(rf"{re.escape(cause)}-[^/]+$", name) for cause in causes)
    return row["target"] == "workload" and name in causes


def _reported(row: dict[str, Any], causes: Collection[str]) -> Action:
    names = [f"{row['namespace'] or ''}/{row['service']}", row["service"]]
    aimed = any(cause in names or cause.endswith(f"/{row['service']}") for cause in causes)
    return Action(
        cluster=row["cluster"],
        began_at=row["began_at"],
        what=" ".join(filter(None, [row["action"] or row["status"], row["service"]])),
        aim="removal" if aimed else "other change",
        outcome="reported",
        code=None,
        tries=1,
        refused=0,
        failed=0,
        took_s=None,
        accepted_at=None,
        actor=row["actor"],
        how=row["reported_by"],
    )


def _as_reported(one: Action, asked: Sequence[Action], reported: Sequence[Action]) -> Action:
    """Take what looks like the rollout of the cause for its rollback where a record says so.

    A record is about the request that is nearest to it.
    """
    records = [record for record in reported if record.aim == "removal" and _same(record, one)]
    back = any(one is _nearest(record, asked) for record in records)
    return replace(one, aim="removal") if one.aim == "rollout" and back else one


def _nearest(record: Action, asked: Sequence[Action]) -> Action:
    same = [one for one in asked if _same(record, one)]
    return min(same, key=lambda one: abs(one.began_at - record.began_at))


def _same(reported: Action, asked: Action) -> bool:
    near = abs(reported.began_at - asked.began_at) <= SAME
    service = reported.what.rpartition(" ")[2]
    return near and reported.cluster == asked.cluster and asked.what.endswith(f"/{service}")


def _started(row: dict[str, Any]) -> Action:
    what = f"API server {row['instance']} started".replace("  ", " ")
    return _happened(row["cluster"], row["started_at"], what)


def _joined(row: dict[str, Any]) -> Action:
    return _happened(row["cluster"], row["began_at"], f"{row['nodes']} nodes joined")


def _happened(cluster: str, began_at: datetime, what: str) -> Action:
    return Action(
        cluster, began_at, what, "capacity", "happened", None, 1, 0, 0, None, None, None, "metrics"
    )
