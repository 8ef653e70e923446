"""What each alert would have been worth: how early, what could still be stopped, how noisy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kubepostmortem.alerts.printing import promql
from kubepostmortem.alerts.replaying import Replayed
from kubepostmortem.alerts.states import FIRING, PENDING, Spell
from kubepostmortem.incident import iso
from kubepostmortem.questions.visibility.impact import Impact
from kubepostmortem.questions.waves import Wave
from kubepostmortem.questions.words import listed

Span = tuple[datetime, datetime]
COMPONENT = "component"  # the label of early rules that names a client


@dataclass(frozen=True)
class Judged:
    """One rule in one cluster, seen from the overload.

    pending_at: since when it was pending; firing: its first alert that began to fire in the
    overload or after it; before: whether those that fire did so already when the overload began;
    false_alarms: alerts that fired in the baseline; of_others: alerts in the overload that name a
    component which is not the cause; lead_s: seconds from firing to impact, negative where it
    fired later; waves, clients: of the rollout, still to come when it fired.
    """

    replayed: Replayed
    status: str
    why: str
    pending_at: datetime | None
    firing: Spell | None
    before: bool
    false_alarms: int
    of_others: int
    lead_s: float | None
    waves: int | None
    clients: int | None

    @property
    def firing_at(self) -> datetime | None:
        """When it would have told somebody something new."""
        return self.firing.began_at if self.firing else None

    @property
    def component(self) -> str:
        """Who the first alert names; empty where it names none."""
        return self.firing.labels.get(COMPONENT, "") if self.firing else ""

    @property
    def facts(self) -> dict[str, Any]:
        """Plain data."""
        rule = self.replayed.rule
        return {
            "cluster": self.replayed.cluster,
            "rule": rule.title,
            "source": rule.source.title,
            "standard": rule.source.standard,
            "severity": rule.severity,
            "status": self.status,
            "why": self.why,
            "pending_at": self.pending_at and iso(self.pending_at),
            "firing_at": self.firing_at and iso(self.firing_at),
            "fired_before": self.before,
            "component": self.component or None,
            "false_alarms": self.false_alarms,
            "alerts_of_others": self.of_others,
            "lead_s": self.lead_s,
            "waves_to_come": self.waves,
            "clients_to_come": self.clients,
            "needs_more_history": self.replayed.short,
            "muted_by_429": bool(self.replayed.unmuted),
            "evaluated": self.replayed.evaluated,
            "fitted": list(self.replayed.said),
        }


def judged(
    replayed: Replayed,
    baseline: Span | None,
    overload: Span,
    impact: Impact | None,
    waves: Sequence[Wave],
    causes: Sequence[str],
) -> Judged:
    """Judge a rule by the windows of its cluster.

    waves: of the rollout, in all clusters; causes: components, none where they are not known.
    """
    begins_at = overload[0]
    reaching = [one for one in replayed.spells if _reaches(one, begins_at)]
    ours = [one for one in reaching if not _names_another(one, causes)]
    alarms = [one for one in ours if one.state == FIRING]
    firing = next((one for one in alarms if one.began_at >= begins_at), None)
    before = bool(alarms) and firing is None
    later = [one for one in waves if firing and one.began_at > firing.began_at]
    return Judged(
        replayed=replayed,
        status=_status(replayed, ours, firing is not None, before),
        why=_why(replayed),
        pending_at=_pending_at(ours, firing),
        firing=firing,
        before=before,
        false_alarms=sum(_in(one, baseline) for one in replayed.spells if one.state == FIRING),
        of_others=sum(one.state == FIRING for one in reaching if _names_another(one, causes)),
        lead_s=(impact.began_at - firing.began_at).total_seconds() if impact and firing else None,
        waves=len(later) if waves and firing else None,
        clients=sum(one.clients for one in later) if waves and firing else None,
    )


def _names_another(spell: Spell, causes: Sequence[str]) -> bool:
    named = spell.labels.get(COMPONENT)
    return bool(causes) and named is not None and named not in causes


def _pending_at(spells: Sequence[Spell], firing: Spell | None) -> datetime | None:
    """Return since when what fired first had been pending, else what was pending first."""
    if firing is None:
        return min((one.began_at for one in spells), default=None)
    led = (
        one.began_at
        for one in spells
        if one.labels == firing.labels and one.ended_at == firing.began_at
    )
    return min(led, default=firing.began_at)


def _reaches(spell: Spell, begins_at: datetime) -> bool:
    return spell.ended_at is None or spell.ended_at > begins_at


def _in(spell: Spell, baseline: Span | None) -> bool:
    """Whether the spell overlaps the baseline."""
    return baseline is not None and spell.began_at < baseline[1] and _reaches(spell, baseline[0])


def _status(replayed: Replayed, spells: Sequence[Spell], fires: bool, before: bool) -> str:
    if not replayed.testable:
        return "no series"
    if replayed.failed:
        return "refused by Prometheus"
    if before:
        return "fired before"
    if fires:
        return "fired"
    if any(one.state == PENDING and one.ended_at is None for one in spells):
        return "pending at the end"
    return "pending only" if spells else "quiet"


def _why(replayed: Replayed) -> str:
    """Say why a rule could not fire, or not as it would have."""
    if not replayed.testable:
        return _lacks(replayed)
    if replayed.failed:
        return replayed.failed
    said = []
    if replayed.short:
        said.append("it looks back further than the export goes")
    if replayed.unmuted:
        said.append("refused requests (429) enlarge what it divides by and so mute it")
    return "; ".join(said)


def _lacks(replayed: Replayed) -> str:
    if replayed.absent:
        gone = f"; {replayed.rule.gone}" if replayed.rule.gone else ""
        return f"no series of {listed(replayed.absent)}{gone}"
    if replayed.lacks:
        return f"no series matches {listed([promql(one) for one in replayed.lacks], 2)}"
    if replayed.rule.expression is not None:
        return "the bucket without bound (+Inf) of its histogram is not in the export"
    return "the audit log is missing, or too short for it"
