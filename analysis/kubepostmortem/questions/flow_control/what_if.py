"""Policies tried on the recorded load, as answers show them: always labelled as simulated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from kubepostmortem.errors import UsageError
from kubepostmortem.questions.flow_control.callers import named
from kubepostmortem.questions.question import Figure, Inquiry, Table
from kubepostmortem.questions.replays import simulation
from kubepostmortem.questions.words import listed, percent
from kubepostmortem.simulation.groups import CULPRIT
from kubepostmortem.simulation.policies import Wish
from kubepostmortem.simulation.simulation import FEWEST, GroupOutcome, Interval, Simulation

PEOPLE = ("admins", "system:masters")
FEWEST_OF_PEOPLE = 10  # calls


@dataclass(frozen=True)
class WhatIf:
    """A policy under the name that a reader knows it by, tried on the recorded load."""

    name: str
    simulated: Simulation

    @property
    def facts(self) -> dict[str, Any]:
        """Plain data, for machines."""
        return {
            "name": self.name,
            "simulated": True,
            "policy": self.simulated.policy,
            "apf": self.simulated.apf,
            "decided": self.simulated.decided,
            "verdict": self.simulated.verdict,
            "groups": [asdict(group) for group in self.simulated.groups],
        }

    def bystanders(self) -> Iterator[GroupOutcome]:
        """Yield groups but the culprit that called often enough to tell; people seldom call."""
        for one in self.simulated.groups:
            enough = FEWEST_OF_PEOPLE if one.group in PEOPLE else FEWEST
            if one.group != CULPRIT and one.requests >= enough:
                yield one

    @property
    def worst(self) -> GroupOutcome | None:
        """The group that fares worst of them."""
        return min(self.bystanders(), key=lambda one: one.answered.low, default=None)


def what_if(inquiry: Inquiry, cluster: str, wishes: Mapping[str, Wish]) -> list[WhatIf]:
    """Try policies; those that make no sense here, like fairness without limits, are left out."""
    tried = []
    for name, wish in wishes.items():
        with suppress(UsageError):
            tried.append(WhatIf(name, simulation(inquiry, wish, cluster)))
    return tried


def undecided(tried: Sequence[WhatIf]) -> WhatIf | None:
    """Return the first policy that there is no verdict on."""
    return next((one for one in tried if not one.simulated.decided), None)


def figure(tried: Sequence[WhatIf]) -> Figure | None:
    """Draw who is answered in time under which policy."""
    rows = [
        {"policy": one.name, "group": group.group, "requests": group.requests}
        | asdict(group.answered)
        for one in tried
        for group in one.simulated.groups
    ]
    if not rows:
        return None
    lacking = undecided(tried)
    says = "no verdict, the replay is too far off" if lacking else "calls answered in time"
    return Figure("actual_against_what_if", f"Simulated: {says}", pl.DataFrame(rows))


def table(tried: Sequence[WhatIf]) -> Table:
    """Tabulate the shares answered in time: a row for each group, a column for each policy."""
    rows: dict[str, dict[str, Any]] = {}
    for one in tried:
        for group in one.simulated.groups:
            row = rows.setdefault(group.group, {"group": group.group, "calls": group.requests})
            row[one.name] = in_words(group.answered)
    says = "Simulated: calls answered in time, likely and by all models"
    return Table(says, pl.DataFrame(list(rows.values()), infer_schema_length=None))


def in_words(answered: Interval) -> str:
    """Write a share with its range, if it has any."""
    likely, (low, high) = percent(answered.likely), between(answered)
    return likely if low == high else f"{likely} ({low} to {high})"


def between(answered: Interval) -> tuple[str, str]:
    """Write both ends of the range."""
    return share(answered.low), share(answered.high)


def share(part: float) -> str:
    """Write a share with a digit, since the last percent matters here; nearly all is not all."""
    return "100%" if part == 1 else f"{min(part, 0.999):.1%}"


def too_few(tried: Sequence[WhatIf]) -> list[str]:
    """Say which groups called too seldom for a verdict on them."""
    known = tried[0].simulated.groups if tried else ()
    told = {one.group for one in tried[0].bystanders()} if tried else set()
    few = [
        f"{named(g.group)} ({g.requests} calls)" for g in known if g.group not in told | {CULPRIT}
    ]
    return [f"Called too seldom for a verdict: {listed(few)}."] if few else []
