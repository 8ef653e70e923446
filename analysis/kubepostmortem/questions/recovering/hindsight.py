"""What would have been faster: when each known action could have been taken at the earliest."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from kubepostmortem.errors import MissingEvidence, UsageError
from kubepostmortem.incident import iso
from kubepostmortem.questions.administrators.removal import Removal
from kubepostmortem.questions.cause import Cause
from kubepostmortem.questions.question import Inquiry
from kubepostmortem.questions.recovering.residual import Residual
from kubepostmortem.questions.replays import designed_fence
from kubepostmortem.questions.waves import Wave, waves
from kubepostmortem.questions.words import percent, span

LOST = """
select min(expires_at) as lost_at
from lease_lapses as lapses
join incident
    on incident.cluster = lapses.cluster and time_window = 'overload'
    and expires_at >= begins_at and expires_at < ends_at
where purpose = 'leader election' and component = 'kube-controller-manager'
"""
WORTH_S = 1.0  # less is not worth telling


@dataclass(frozen=True)
class Faster:
    """A path that would have been faster: from when on, and what it would have saved, seconds.

    simulated: by a replay of the recorded load; else from recorded times alone, and the time from
    acceptance to recovery is taken to be the same.
    """

    path: str
    could_begin_at: datetime | None
    saves_s: float | None
    simulated: bool
    says: str

    @property
    def facts(self) -> dict[str, Any]:
        """Plain data, for machines."""
        begins = iso(self.could_begin_at) if self.could_begin_at else None
        return asdict(self) | {"could_begin_at": begins}


@dataclass(frozen=True)
class Known:
    """What is known of how it went; times are UTC.

    impact_at: when somebody was first harmed (None: nobody was); over_at: when load was back, or
    the log ended.
    """

    top: Cause
    removed: Removal | None
    left: Residual | None
    impact_at: datetime | None
    over_at: datetime

    @property
    def removed_at(self) -> datetime:
        """When the removal took hold: what nobody carried out did not, while the log lasts."""
        accepted = self.removed.accepted_at if self.removed else None
        if accepted is None or (self.left and self.left.stalled):
            return self.over_at
        return accepted


def faster(inquiry: Inquiry, known: Known) -> tuple[Faster, ...]:
    """Return faster paths, what saves most first."""
    named = [known.removed.workload] if known.removed else []
    lost = inquiry.row("when controllers lost their lease", LOST)["lost_at"]
    found = [
        *_after_first_wave(waves(inquiry, known.top.calls, named), known),
        *_at_impact(known, lost),
        *_at_first_try(known.removed),
        *_fenced(inquiry, known),
    ]
    return tuple(sorted(found, key=lambda one: -(one.saves_s or 0.0)))


def _after_first_wave(found: tuple[Wave, ...], known: Known) -> list[Faster]:
    if len(found) < 2:
        return []
    first, second = found[0], found[1]
    saved = (known.removed_at - second.began_at).total_seconds()
    if saved < WORTH_S:
        return []
    rest = percent(1 - first.clients / sum(one.clients for one in found))
    says = (
        f"Removed before the second of {len(found)} waves, {rest} of its clients would never have "
        "called"
    )
    return [Faster("stop after the first wave", second.began_at, saved, False, says)]


def _at_impact(known: Known, lost: datetime | None) -> list[Faster]:
    if known.impact_at is None:
        return []
    saved = (known.removed_at - known.impact_at).total_seconds()
    if saved < WORTH_S:
        return []
    says = "Removed as soon as the first component was harmed"
    if lost and lost > known.impact_at:
        says += ", while controllers still held their lease"
    return [Faster("removal at first harm", known.impact_at, saved, False, says)]


def _at_first_try(removed: Removal | None) -> list[Faster]:
    if removed is None or removed.took_s is None or removed.tries < 2:
        return []
    if removed.took_s < WORTH_S:
        return []
    says = f"Had the first of {removed.tries} tries been accepted"
    return [Faster("first try accepted", removed.first_at, removed.took_s, False, says)]


def _fenced(inquiry: Inquiry, known: Known) -> list[Faster]:
    """Try a fence on the recorded load: it needs no controller, and can be there beforehand."""
    try:
        tried = designed_fence(inquiry)
    except (MissingEvidence, UsageError):
        return []  # the questions about flow control say why
    harm_s = (known.over_at - known.impact_at).total_seconds() if known.impact_at else None
    saves = harm_s if tried.spares and tried.simulation.decided else None
    says = (
        f"Simulated: with a priority level of {tried.fence.seats} seats for its calls, in place "
        f"before it came. {tried.simulation.verdict}"
    )
    return [Faster("a fence beforehand", None, saves, True, says)]


def told(found: tuple[Faster, ...], known_to_end: bool) -> str:
    """Say the path that would have saved most, of those that follow from recorded times.

    known_to_end: False where it was not over when the log ended.
    """
    recorded = [one for one in found if not one.simulated and one.saves_s]
    if not recorded:
        return ""
    best = recorded[0]
    least = "" if known_to_end else "at least "
    return f"{best.says}, it would have been over {least}{span(best.saves_s or 0.0)} earlier."
