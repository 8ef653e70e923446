"""Which jobs stopped: what each needs, against what the log shows of who does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, get_args

from kubepostmortem.incident import iso
from kubepostmortem.questions.dependencies.fared import Fared
from kubepostmortem.questions.dependencies.jobs import Job, jobs
from kubepostmortem.questions.dependencies.stops import Stops
from kubepostmortem.questions.words import span

Status = Literal["stopped", "cut off", "impaired", "not yet", "not harmed", "ran on", "not seen"]

HEARTBEATS = "node-heartbeats"
SLOWLY_S = 120.0  # a job that takes as long to fail may outlive the overload
RANK: Mapping[str, int] = {status: rank for rank, status in enumerate(get_args(Status))}


@dataclass(frozen=True)
class Effect:
    """What became of one job: its status, since when (UTC), and the fact that tells."""

    job: Job
    status: Status
    since: datetime | None
    why: str
    components: tuple[str, ...] = ()

    @property
    def facts(self) -> dict[str, Any]:
        """Plain data, for machines."""
        return {
            "id": self.job.id,
            "job": self.job.job,
            "without_api_server": self.job.without,
            "after_s": self.job.after_s,
            "depth": self.job.depth,
            "needs": list(self.job.needs),
            "status": self.status,
            "since": iso(self.since) if self.since else None,
            "why": self.why,
            "components": list(self.components),
            "own_store": self.job.own_store,
            "reason": self.job.why,
        }


def effects(components: Sequence[Fared], stopped: Stops, ends_at: datetime) -> tuple[Effect, ...]:
    """Judge every job, those that others need first; then order by what became of them.

    ends_at: when the overload ended, UTC: what takes longer to fail did not.
    """
    known: dict[str, Effect] = {}
    for job in jobs():
        known[job.id] = _in_time(_effect(job, components, stopped, known), ends_at)
    return tuple(
        sorted(
            known.values(),
            key=lambda one: (RANK[one.status], one.since or datetime.max, one.job.depth),
        )
    )


def _effect(
    job: Job, components: Sequence[Fared], stopped: Stops, known: Mapping[str, Effect]
) -> Effect:
    doing = [one for one in components if job.done_by(one.component, one.kind)]
    names = tuple(dict.fromkeys(one.component for one in doing))
    if job.without == "runs on":
        return _ran_on(job, doing, names)
    if not doing and (job.components or job.kinds):
        return Effect(job, "not seen", None, "nobody who does it is in the log")
    if job.id == HEARTBEATS and stopped.heartbeats and not stopped.nodes:
        return Effect(job, "not harmed", None, "every node renewed its lease in time", names)
    found = _seen_to_stop(job, stopped) or _through(job, known)
    if found:
        since, why = found
        return Effect(job, "stopped", since, why, names)
    return _by_answers(job, doing, names)


def _in_time(one: Effect, ends_at: datetime) -> Effect:
    """Tell what would have failed from what had the time to: a lease that ran out did."""
    slow = one.job.after_s or 0.0
    if one.status not in ("stopped", "cut off", "impaired") or slow < SLOWLY_S:
        return one
    begins = one.since or ends_at
    if (ends_at - begins).total_seconds() >= slow:
        return one
    return replace(one, status="not yet", why=f"takes {span(slow)}; {one.why}")


def _seen_to_stop(job: Job, stopped: Stops) -> tuple[datetime, str] | None:
    """What the log itself shows to have stopped: heartbeats, leaders, changes nobody followed."""
    if job.id == HEARTBEATS and stopped.nodes:
        nodes = sum(row["nodes"] for row in stopped.nodes)
        first = min(row["first_at"] for row in stopped.nodes)
        return first, f"{nodes} nodes were late for longer than their lease is good for"
    lost = [row for row in stopped.leaders if job.elected_by(row["lease"])]
    if lost:
        return lost[0]["expires_at"], f"the lease {lost[0]['lease']} ran out"
    if job.id == "replacements" and stopped.stalled:
        first = stopped.stalled[0]
        name = f"{first['namespace']}/{first['service']}"
        return first["applied_at"], f"no controller acted upon: {first['action']} {name}"
    return None


def _through(job: Job, known: Mapping[str, Effect]) -> tuple[datetime, str] | None:
    """A job stops with the first one that it needs."""
    stopped = [known[one] for one in job.needs if known[one].status == "stopped"]
    first = min(stopped, key=lambda one: one.since or datetime.max, default=None)
    if first is None or first.since is None:
        return None
    return first.since, f"needs what stopped: {first.job.job}"


def _by_answers(job: Job, doing: Sequence[Fared], names: tuple[str, ...]) -> Effect:
    """Judge by how the API server answered whoever does the job."""
    known = [one for one in doing if one.state != "hardly called"]
    if not known:
        why = (
            "hardly any request of who does it is in the log"
            if doing
            else "nothing it needs failed"
        )
        return Effect(job, "not seen" if doing else "not harmed", None, why, names)
    hurt = [one for one in known if one.state in ("stopped", "cut off", "failing", "slow")]
    if not hurt:
        return Effect(job, "not harmed", None, "its requests were answered as usual", names)
    worst = min(hurt, key=lambda one: one.answered_share)
    since = min((one.failed_at for one in hurt if one.failed_at), default=None)
    status: Status = "cut off" if worst.state == "cut off" else "impaired"
    return Effect(job, status, since, _answers(worst), names)


def _ran_on(job: Job, doing: Sequence[Fared], names: tuple[str, ...]) -> Effect:
    hurt = [one for one in doing if one.state in ("stopped", "cut off", "failing")]
    if hurt:
        why = f"goes on with what it knew; {_answers(hurt[0])}"
        return Effect(job, "ran on", hurt[0].failed_at, why, names)
    return Effect(job, "ran on", None, "needs no answer of the API server", names)


def _answers(one: Fared) -> str:
    share = f"{one.component} had {one.answered_share:.0%} of its requests answered"
    if one.state == "slow" and one.slowdown:
        return f"{one.component} waited {one.slowdown:,.0f} times as long as usual"
    return share


def ordered(found: Sequence[Effect]) -> list[dict[str, Any]]:
    """Return what became of the jobs as plain data."""
    return [one.facts for one in found]


def summary(found: Sequence[Effect]) -> dict[str, int]:
    """Count jobs by status."""
    return {status: sum(one.status == status for one in found) for status in RANK}
