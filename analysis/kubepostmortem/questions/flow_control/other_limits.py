"""Other values of the limits of requests in flight, tried on the recorded load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kubepostmortem.flowcontrol.defaults import (
    MAX_MUTATING_REQUESTS_INFLIGHT,
    MAX_REQUESTS_INFLIGHT,
)
from kubepostmortem.questions.flow_control.callers import named
from kubepostmortem.questions.flow_control.what_if import WhatIf, in_words, share, undecided
from kubepostmortem.simulation.effective import Effective
from kubepostmortem.simulation.policies import Wish
from kubepostmortem.simulation.simulation import GroupOutcome

FACTORS: Mapping[str, float] = {"half": 0.5, "double": 2, "four times": 4}
LITTLE = 0.02  # change of the share answered of a group, likely value


@dataclass(frozen=True)
class Change:
    """What a group got with other limits."""

    limits: str
    before: GroupOutcome
    after: GroupOutcome

    @property
    def gain(self) -> float:
        """Share of its calls that is answered on top; negative: lost."""
        return self.after.answered.likely - self.before.answered.likely


def wishes(known: Effective) -> dict[str, Wish]:
    """Return half, double and four times both limits beside what was in force, by their names.

    0 is no limit: it stays so, and where there was none at all, the defaults are tried.
    """
    reads, writes = known.max_requests_inflight, known.max_mutating_requests_inflight
    found = {f"as it was ({reads} + {writes})": Wish()}
    tried = {name: (_times(reads, by), _times(writes, by)) for name, by in FACTORS.items()}
    if not reads and not writes:
        tried = {"the defaults": (MAX_REQUESTS_INFLIGHT, MAX_MUTATING_REQUESTS_INFLIGHT)}
    for name, (most, mutating) in tried.items():
        found[f"{name} ({most} + {mutating})"] = Wish(
            max_requests_inflight=most, max_mutating_requests_inflight=mutating
        )
    return found


def verdict(tried: Sequence[WhatIf]) -> str:
    """Say what other values would have done, in a sentence; no verdict where one is undecided."""
    if len(tried) < 2:
        return ""
    lacking = undecided(tried)
    if lacking is not None:
        why = lacking.simulated.verdict
        return f"On other values {why[0].lower()}{why[1:]}"
    changes = sorted(_changes(tried), key=lambda one: (-abs(one.gain), one.limits))
    if not changes:
        return "No group but the culprit called often enough to tell of other values."
    largest = changes[0]
    if abs(largest.gain) <= LITTLE:
        return _little(tried)
    return (
        f"Simulated, {largest.limits} instead would have had {in_words(largest.after.answered)} of "
        f"the calls of {named(largest.after.group)} answered in time, not "
        f"{in_words(largest.before.answered)}."
    )


def _changes(tried: Sequence[WhatIf]) -> list[Change]:
    before = {group.group: group for group in tried[0].bystanders()}
    return [
        Change(one.name, before[group.group], group)
        for one in tried[1:]
        for group in one.bystanders()
        if group.group in before
    ]


def _little(tried: Sequence[WhatIf]) -> str:
    lowest = min(
        (group for one in tried for group in one.bystanders()),
        key=lambda group: group.answered.low,
    )
    least = share(lowest.answered.low)
    part = "all" if least == "100%" else f"at least {least}"
    return (
        "Simulated, other values, from half of these to four times, would have changed little for "
        f"the others: {part} of the calls of each group are answered in time."
    )


def _times(limit: int, factor: float) -> int:
    return max(1, round(limit * factor)) if limit else 0
