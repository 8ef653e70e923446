"""The words, the chart and the tables of recovery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from kubepostmortem.questions.administrators.removal import Removal
from kubepostmortem.questions.question import Figure, Table
from kubepostmortem.questions.recovering.bought import Bought
from kubepostmortem.questions.recovering.curve import NEAR, Curve
from kubepostmortem.questions.recovering.hindsight import Faster, told
from kubepostmortem.questions.recovering.residual import Residual
from kubepostmortem.questions.words import percent, span, when

SHOWN = 15  # rows of a table; the evidence holds all


@dataclass(frozen=True)
class Story:
    """What the headline is made of; impact_at: since when a component was harmed, UTC."""

    cause: str
    removed: Removal | None
    left: Residual | None
    curve: Curve
    impact_at: datetime | None
    done: Sequence[Bought]
    faster: tuple[Faster, ...]

    @property
    def back_at(self) -> datetime | None:
        """When load was back near the usual."""
        return self.curve.back_at()


def headline(story: Story) -> str:
    """Say how the removal fared, what followed, and what would have been faster."""
    said = [_removal(story), _back(story), told(story.faster, story.back_at is not None)]
    return " ".join(filter(None, said))


def _removal(story: Story) -> str:
    removed = story.removed
    if removed is None or not removed.tries or removed.first_at is None:
        who = removed.workload if removed else story.cause
        return f"The log shows nobody who asked the API server to remove {who}."
    begins = _since_impact(story, removed.first_at)
    if removed.accepted_at is None or removed.took_s is None:
        return (
            f"The removal of {removed.workload} was tried {_times(removed.tries)}{begins}, and "
            f"never accepted ({removed.refused} refused or failed, {removed.forbidden} forbidden)."
        )
    tries = (
        "at the first try"
        if removed.tries == 1 or not removed.refused
        else (f"after {removed.refused} refusals or failures")
    )
    return (
        f"The removal of {removed.workload} was accepted {tries}, {span(removed.took_s)} after it "
        f"was asked for{begins}."
    )


def _since_impact(story: Story, moment: datetime) -> str:
    if story.impact_at is None or moment < story.impact_at:
        return ""
    return f", {span((moment - story.impact_at).total_seconds())} after the first harm"


def _back(story: Story) -> str:
    back, removed = story.back_at, story.removed
    if story.left and story.left.stalled:
        rest = "" if back else ", and load was not back when the log ended"
        return f"No controller carried it out{rest}."
    if back is None:
        left = story.curve.mean("demand", story.curve.overload.begins_at, story.curve.ends_at)
        times = (left or 0.0) / story.curve.usual if story.curve.usual else 0.0
        now = f" ({times:,.0f} times the usual)" if times >= 2 else ""
        return f"Load was not back within 10% of the usual when the log ended{now}."
    if removed and removed.accepted_at and back >= removed.accepted_at:
        lag = (back - removed.accepted_at).total_seconds()
        return f"Load was back within 10% of the usual {span(lag)} later."
    if removed and removed.accepted_at:
        return f"Load had been back within 10% of the usual since {when(back)}."
    return f"Load was back within 10% of the usual at {when(back)}."


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def figures(story: Story) -> list[Figure]:
    """Draw load over time with actions and milestones."""
    load = story.curve.rows.select(
        pl.lit("load").alias("layer"),
        pl.col("interval_at").alias("happened_at"),
        "demand",
        "refused_per_s",
    )
    marks = [("first harm", story.impact_at), ("load back", story.back_at)]
    rows = [
        {
            "happened_at": one.action.began_at,
            "number": str(place),
            "title": one.action.what,
            "outcome": "accepted"
            if one.action.outcome in ("accepted", "happened", "reported")
            else one.action.outcome,
        }
        for place, one in enumerate(story.done, start=1)
    ]
    rows += [
        {"happened_at": at, "number": name, "title": name, "outcome": "milestone"}
        for name, at in marks
        if at is not None
    ]
    done = pl.DataFrame(
        rows,
        schema={
            "happened_at": pl.Datetime("us"),
            "number": pl.String,
            "title": pl.String,
            "outcome": pl.String,
        },
    ).with_columns(layer=pl.lit("action"))
    says = "Demand and refusals, and what was done; numbers as in the table of attempts"
    return [Figure("load_and_actions", says, pl.concat([load, done], how="diagonal_relaxed"))]


def tables(story: Story) -> list[Table]:
    """Tabulate attempts, milestones and faster paths."""
    made = [
        Table("Attempts: what was asked for, what came of it, and what it bought", _tried(story)),
        Table("From the first harm to the usual load", _milestones(story)),
        Table("What would have been faster", _faster(story.faster)),
    ]
    return [table for table in made if not table.rows.is_empty()]


def _tried(story: Story) -> pl.DataFrame:
    rows = [
        {
            "no": place,
            "began": one.action.began_at,
            "what": one.action.what,
            "by": one.action.actor,
            "aim": one.action.aim,
            "outcome": one.action.outcome,
            "tries": one.action.tries,
            "took s": one.action.took_s,
            "load before": one.before,
            "after": one.after,
            "effect": one.effect,
            "lag s": one.lag_s,
        }
        for place, one in enumerate(story.done[:SHOWN], start=1)
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _milestones(story: Story) -> pl.DataFrame:
    removed, left = story.removed, story.left
    steps = [
        ("first component harmed", story.impact_at),
        ("first try to remove the cause", removed.first_at if removed else None),
        ("removal accepted", removed.accepted_at if removed else None),
        ("first pod of the cause deleted", left.first_pod_at if left else None),
        ("last pod of the cause deleted", left.last_pod_at if left else None),
        ("last request of the cause", left.last_request_at if left else None),
        (f"load back within {percent(NEAR - 1)} of the usual", story.back_at),
    ]
    begins = next((at for _, at in steps if at is not None), None)
    rows = [
        {
            "milestone": name,
            "time": at,
            "after the first": span((at - begins).total_seconds()) if at and begins else None,
        }
        for name, at in steps
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _faster(found: Sequence[Faster]) -> pl.DataFrame:
    rows = [
        {
            "path": one.path,
            "could begin": one.could_begin_at,
            "saves": span(one.saves_s) if one.saves_s else "not known",
            "simulated": "simulated" if one.simulated else "recorded times",
            "says": one.says,
        }
        for one in found
    ]
    return pl.DataFrame(rows, infer_schema_length=None)
