"""The words, the chart and the tables of blast-radius."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from kubepostmortem.questions.dependencies.effects import Effect
from kubepostmortem.questions.dependencies.fared import OVER_TIME, Fared
from kubepostmortem.questions.dependencies.stops import Stops
from kubepostmortem.questions.dependencies.stores import Store, taken_off
from kubepostmortem.questions.question import Figure, Inquiry, Table
from kubepostmortem.questions.words import listed, number, percent, span

SHOWN = 20  # rows of a table; the evidence holds all


def harm(victims: Sequence[Fared]) -> str:
    """Say how many components were hurt, by what, and which one first."""
    known = [one for one in victims if one.state != "hardly called"]
    refused = [one for one in known if one.state in ("stopped", "cut off", "failing")]
    slow = [one for one in known if one.state == "slow"]
    if not known:
        return "No component but the cause called often enough to tell."
    if not refused and not slow:
        return (
            f"None of the {_count(known)} components that called besides the cause was harmed: "
            "their requests were answered, and in about the usual time."
        )
    waited = f"{_names(slow)} waited at least {number(_least(slow))} times as long as usual"
    if not refused:
        return f"The API server answered all components but the cause; {waited}."
    order = sorted(refused, key=lambda one: (one.failed_at is None, one.failed_at))
    worst = min(refused, key=lambda one: one.answered_share)
    said = (
        f"{_count(refused)} of {_count(known)} components besides the cause failed, first "
        f"{_names(order)}; worst {worst.component} with {percent(worst.answered_share)} of its "
        "requests answered"
    )
    return f"{said}; {waited}." if slow else f"{said}."


def what_stopped(stopped: Stops) -> str:
    """Say what the log shows to have stopped: nodes, leaders, changes."""
    said = []
    if stopped.nodes:
        late, of = _sum(stopped.nodes, "nodes"), _sum(stopped.nodes, "of_nodes")
        said.append(f"{late} of {of} nodes missed heartbeats for long enough to count as not ready")
    if stopped.leaders:
        names = list(dict.fromkeys(row["lease"] for row in stopped.leaders))
        verb = "lost its lease" if len(names) == 1 else "lost their leases"
        said.append(f"{listed(names)} {verb}")
    if stalled := stopped.stalled:
        one = stalled[0]
        what = f"{one['action']} {one['kind']} {one['namespace']}/{one['service']}"
        more = f" and {len(stalled) - 1} more" if len(stalled) > 1 else ""
        said.append(f"nobody carried out a change that was accepted ({what}{more})")
    if said:
        return f"{_sentence(', '.join(said))}."
    if stopped.heartbeats or stopped.elections:
        return "No node missed its heartbeats and no leader lost its lease."
    return "Whether nodes or leaders were lost the log cannot show: it has no renewals of leases."


def figures(inquiry: Inquiry, components: Sequence[Fared], cause: str | None) -> list[Figure]:
    """Draw the share answered and the latency of each component over time."""
    rows = inquiry.frame("how each component was answered over time", OVER_TIME)
    order = {one.component: place for place, one in enumerate(reversed(components))}
    shown = rows.filter(pl.col("component").is_in(list(order)))
    rank = pl.col("component").replace_strict(order, return_dtype=pl.Int64)
    label = pl.when(pl.col("component") == (cause or "")).then(
        pl.concat_str("component", pl.lit(" (the cause)"))
    )
    shown = shown.sort(rank, "component", "interval_at", descending=[True, False, False])
    shown = shown.with_columns(label.otherwise("component").alias("component"))
    says = "Requests answered, component by component: those that failed first are on top"
    return [Figure("component_availability", says, shown)]


def tables(
    components: Sequence[Fared], found: Sequence[Effect], saved: Sequence[Store], cause: str | None
) -> list[Table]:
    """Tabulate components, jobs and stores."""
    made = [
        Table("How each component fared", _components(components, cause)),
        Table("What needs the API server, and what became of it", _jobs(found)),
        Table(taken_off(saved) or "What stores of their own would take off", _stores(saved)),
    ]
    return [table for table in made if not table.rows.is_empty()]


def _components(components: Sequence[Fared], cause: str | None) -> pl.DataFrame:
    several = len({one.cluster for one in components}) > 1
    rows: list[dict[str, Any]] = [
        ({"cluster": one.cluster} if several else {})
        | {
            "component": one.component,
            "fared": "the cause" if one.component == cause else one.state,
            "answered": one.answered_share,
            "usually": one.baseline_share,
            "p50 ms": one.p50_ms,
            "usual p50": one.baseline_p50_ms,
            "p99 ms": one.p99_ms,
            "usual p99": one.baseline_p99_ms,
            "failed from": one.failed_at,
            "until": one.recovered_at,
        }
        for one in components[:SHOWN]
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _jobs(found: Sequence[Effect]) -> pl.DataFrame:
    rows = [
        {
            "job": one.job.job,
            "status": one.status,
            "since": one.since,
            "why": one.why,
            "depth": one.job.depth,
            "fails after": _after(one),
        }
        for one in found
        if one.status != "not seen"
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _after(one: Effect) -> str:
    if one.job.after_s is None:
        return "never"
    return span(one.job.after_s) if one.job.after_s else "at once"


def _stores(saved: Sequence[Store]) -> pl.DataFrame:
    rows = [
        {
            "operation": one.operation,
            "of": one.store,
            "per s before": one.baseline_per_s,
            "in the overload": one.overload_per_s,
            "share": one.overload_share,
            "counted by": one.counted_by,
        }
        for one in saved[:SHOWN]
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _names(components: Sequence[Fared]) -> str:
    return listed(list(dict.fromkeys(one.component for one in components)), 3)


def _count(components: Sequence[Fared]) -> int:
    """How many there are, in however many clusters each of them is."""
    return len({one.component for one in components})


def _least(slow: Sequence[Fared]) -> float:
    return float(int(min((one.slowdown or 0) for one in slow))) if slow else 0.0


def _sum(rows: Sequence[dict[str, Any]], name: str) -> int:
    return int(sum(row[name] for row in rows))


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"
