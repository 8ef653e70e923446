"""What each action bought: load before it, load that followed, and with which lag."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import polars as pl

from kubepostmortem.questions.recovering.actions import Action
from kubepostmortem.questions.recovering.curve import Curve

Effect = Literal["load fell", "load rose", "no clear change", "not known"]

BEFORE = timedelta(seconds=60)  # looked at before an action, back to the action before it at most
AFTER = timedelta(minutes=5)  # looked at after it, up to the next one at most
SHORTEST = timedelta(seconds=20)  # less says nothing
FELL, ROSE = 2 / 3, 1.5  # of the load before: between them it may be noise


@dataclass(frozen=True)
class Bought:
    """Mean demand before an action and once settled after it; lag_s: until half-way there."""

    action: Action
    effect: Effect
    before: float | None = None
    after: float | None = None
    refused_before: float | None = None
    refused_after: float | None = None
    lag_s: float | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """Plain data, for machines: the action with what it bought."""
        own = asdict(self)
        own.pop("action")
        return self.action.facts | own


def bought(tried: Sequence[Action], curve: Curve) -> tuple[Bought, ...]:
    """Judge each action of the curve's cluster by the load around it.

    What was not accepted bought nothing, and bounds no other action.
    """
    ours = [one for one in tried if one.cluster == curve.cluster]
    took_hold = [one for one in ours if _from(one) is not None]
    return tuple(_bought(one, took_hold, curve) for one in ours)


def _from(one: Action) -> datetime | None:
    """When it could begin to have an effect; None where it was not accepted."""
    if one.how == "audit log":
        return one.accepted_at
    return one.began_at


def _bought(one: Action, others: Sequence[Action], curve: Curve) -> Bought:
    begins = _from(one)
    if begins is None:
        return Bought(one, "not known")
    moments = [moment for other in others if (moment := _from(other)) and other is not one]
    since = max([m for m in moments if m <= begins] + [one.began_at - BEFORE])
    until = min([m for m in moments if m > begins] + [begins + AFTER, curve.ends_at])
    half = begins + (until - begins) / 2  # the first half is what follows an action with a lag
    before = curve.mean("demand", since, one.began_at)
    after = curve.mean("demand", half, until)
    if until - begins < SHORTEST or before is None or after is None:
        return Bought(one, "not known")
    return Bought(
        one,
        _effect(before, after),
        before,
        after,
        curve.mean("refused_per_s", since, one.began_at),
        curve.mean("refused_per_s", half, until),
        _lag(curve, begins, until, before, after),
    )


def _effect(before: float, after: float) -> Effect:
    if after <= FELL * before:
        return "load fell"
    return "load rose" if after >= ROSE * before else "no clear change"


def _lag(
    curve: Curve, begins: datetime, until: datetime, before: float, after: float
) -> float | None:
    """Seconds until load was below half-way for good; None where it did not fall."""
    if _effect(before, after) != "load fell":
        return None
    high = curve.ahead(0.0).filter(
        (pl.col("interval_at") >= begins)
        & (pl.col("interval_at") < until)
        & (pl.col("demand") > (before + after) / 2)
    )
    last = high["interval_at"].max()
    if not isinstance(last, datetime):
        return 0.0
    return (last - begins).total_seconds() + curve.interval_s
