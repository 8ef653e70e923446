"""What would have become of each group of callers under a policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kubepostmortem.flowcontrol.state import REASONS
from kubepostmortem.simulation.fitting import Fit
from kubepostmortem.simulation.groups import CULPRIT
from kubepostmortem.simulation.models import FITTED, Models
from kubepostmortem.simulation.outcomes import by_group
from kubepostmortem.simulation.policies import Tried

SPARED = 0.99  # share of the calls of a group that is answered in time, if it is left alone
FEWEST = 20  # calls of a group, below which a share says little
CLOSE = 0.10  # between the models: their verdict needs no model of capacity


@dataclass(frozen=True, slots=True)
class Interval:
    """A share, as the fitted model has it, and between which values all models have it."""

    low: float
    likely: float
    high: float


@dataclass(frozen=True, slots=True)
class GroupOutcome:
    """What became of the calls of a group of callers, by the fitted model.

    answered: share of calls answered in time; refused: tries refused, by reason; wait_p50_s,
    wait_p99_s: in queues; by_model: share answered in time, by model.
    """

    group: str
    requests: int
    answered: Interval
    refused: dict[str, int]
    wait_p50_s: float
    wait_p99_s: float
    by_model: dict[str, float]


@dataclass(frozen=True)
class Simulation:
    """A policy, tried on the recorded load; every number of it is simulated."""

    policy: str
    apf: bool
    groups: tuple[GroupOutcome, ...]
    fit: Fit

    def group(self, name: str) -> GroupOutcome | None:
        """Return the outcome of a group that called."""
        return next((group for group in self.groups if group.group == name), None)

    @property
    def bystanders(self) -> tuple[GroupOutcome, ...]:
        """The groups that are not the culprit and called often enough to tell."""
        return tuple(g for g in self.groups if g.group != CULPRIT and g.requests >= FEWEST)

    @property
    def worst_bystander(self) -> GroupOutcome | None:
        """The bystander that fares worst."""
        return min(self.bystanders, key=lambda group: group.answered.low, default=None)

    @property
    def verdict(self) -> str:
        """What the replay says, in one sentence."""
        worst = self.worst_bystander
        if not self.decided:
            off = max(self.fit.shed_points, self.fit.answered_points)
            return (
                f"No verdict: replayed under the policy that was in force, the load is {off:.0f}"
                " points off what the log shows."
            )
        if worst is None:
            return "No group but the culprit called often enough to tell."
        if worst.answered.low >= SPARED:
            return f"Every group but the culprit has at least {SPARED:.0%} of its calls answered."
        low, high = f"{worst.answered.low:.1%}", f"{worst.answered.high:.1%}"
        return f"Worst off is {worst.group}: {low} to {high} of its calls are answered in time."

    @property
    def decided(self) -> bool:
        """Whether it supports a verdict: the fit holds, or all models agree on the bystanders."""
        spread = max((g.answered.high - g.answered.low for g in self.bystanders), default=0.0)
        return self.fit.holds or spread <= CLOSE


def simulate(models: Models, what: Tried) -> Simulation:
    """Replay a policy under all models."""
    by_model = {name: by_group(calls, models.span) for name, calls in models.replayed(what).items()}
    shares = {
        name: dict(zip(frame["caller_group"], frame["answered"], strict=True))
        for name, frame in by_model.items()
    }
    rows = by_model[FITTED].iter_rows(named=True)
    groups = tuple(_group(row, shares, what.apf) for row in rows)
    return Simulation(what.name, what.apf, groups, models.fit)


def how_close(fit: Fit) -> str:
    """Say in a sentence how well the replay of the policy in force reproduces the log."""
    verdict = "close enough for a verdict" if fit.holds else "too far for a verdict"
    return (
        f"Replayed under the policy in force, with the work of quiet times on {fit.cores:.2g} cores"
        f" ({fit.fewest_cores:.2g} to {fit.most_cores:.2g} do about as well), the load is"
        f" {fit.shed_points:.1f} points off in the share of tries refused, at most"
        f" {fit.answered_points:.1f} points in the share of calls answered of any group but the"
        f" culprit, and {fit.latency_factor:.1f}-fold in service times: {verdict}."
    )


def _group(row: dict[str, Any], shares: dict[str, dict[str, float]], apf: bool) -> GroupOutcome:
    name = str(row["caller_group"])
    told = {model: known[name] for model, known in shares.items() if name in known}
    answered = Interval(min(told.values()), told[FITTED], max(told.values()))
    return GroupOutcome(
        group=name,
        requests=int(row["requests"]),
        answered=answered,
        refused={_why(reason, apf): int(row[reason]) for reason in REASONS if row[reason]},
        wait_p50_s=float(row["waited_p50_s"]),
        wait_p99_s=float(row["waited_p99_s"]),
        by_model=told,
    )


def _why(reason: str, apf: bool) -> str:
    return reason if apf else "in-flight limit"
