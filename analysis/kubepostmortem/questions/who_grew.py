"""Which component, verb and resource caused the growth of load."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from kubepostmortem.incident import iso
from kubepostmortem.questions.callers import User, users
from kubepostmortem.questions.cause import Cause
from kubepostmortem.questions.cause_profile import evidence, profile
from kubepostmortem.questions.coverage import coverage
from kubepostmortem.questions.growth import Growth, growth
from kubepostmortem.questions.growth_ledger import ledger_evidence, ledger_table
from kubepostmortem.questions.growth_told import (
    agrees,
    causes_table,
    caveats,
    confidence,
    headline,
    undecided,
)
from kubepostmortem.questions.question import Answer, Figure, Inquiry
from kubepostmortem.questions.retries import offered

id = "who-grew"
text = {
    "en": "Which component, verb and resource caused the growth of load, and how much of it?",
    "zh": "是哪个组件、哪种操作、哪类资源造成了负载增长？各占多少？",
}
needs = ("requests", "incident")

TOTALS = """
select
    sum(growth_rps) as growth_rps, sum(growth_demand) as growth_demand,
    sum(baseline_rps) as baseline_rps, sum(overload_rps) as overload_rps,
    sum(baseline_demand) as baseline_demand, sum(overload_demand) as overload_demand
from load_growth
"""

INFLATION = "from latency_inflation order by cluster, verb_class"
PROFILED = 3  # causes that are looked at down to the workload


def answer(inquiry: Inquiry) -> Answer:
    """Name the fewest patterns that explain the growth; tell what started and what followed."""
    totals = inquiry.row("load in both windows", TOTALS)
    grown = growth(inquiry)
    if grown is None or not grown.found.primary:
        return _no_cause(inquiry, totals, grown)
    found, ledger = grown.causes, grown.found.ledger
    callers = [users(inquiry, cause.calls) for cause in found]
    seen, lines = coverage(inquiry), ledger_table(ledger)
    return Answer(
        question=id,
        status="answered",
        confidence=seen.weaken(confidence(grown), compares=True),
        headline=headline(found, callers),
        evidence={
            "measure": "demand",
            "total_growth": ledger.totals["demand"].growth,
            "total_growth_requests": ledger.totals["requests"].growth,
            "total_growth_request_seconds": ledger.totals["request_seconds"].growth,
            "total_growth_seats": ledger.totals["seats"].growth,
            "totals": totals,
            "coverage": seen.share,
            "causes": [_evidence(*one) for one in zip(found, callers, strict=True)],
            "undecided": undecided(found),
            "ledger": ledger_evidence(ledger),
            "profiles": _profiles(inquiry, found),
            "retries": offered(inquiry),
            "latency_inflation": inquiry.rows("how much slower requests were", INFLATION),
            "largest_cells": _largest(grown),
            "largest_cells_agree": agrees(grown),
        },
        caveats=caveats(grown, seen),
        missing=seen.missing,
        sql=inquiry.statements,
        figures=_figures(inquiry, found, lines.rows),
        tables=[causes_table(found), lines],
    )


def _profiles(inquiry: Inquiry, found: Sequence[Cause]) -> list[dict[str, Any]]:
    primary = [cause for cause in found if cause.kind == "primary"]
    return [
        evidence(profile(inquiry, cause.component, cause.verb, cause.calls.resources))
        for cause in primary[:PROFILED]
    ]


def _largest(grown: Growth) -> list[dict[str, Any]]:
    """The trivial answer: the largest cells by growth of demand, until they make 60 % of it."""
    return [
        {
            "component": cell.component,
            "verb": cell.verb or None,
            "resource": cell.resource or None,
            "share": share,
        }
        for cell, share in grown.found.largest
    ]


def _evidence(cause: Cause, who: Sequence[User]) -> dict[str, Any]:
    return {
        "component": cause.component or "*",
        "component_kind": cause.component_kind,
        "user": who[0].username if who else None,
        "users": [user.username for user in who],
        "verb": cause.verb or "*",
        "verbs": list(cause.verbs),
        "resources": list(cause.resources),
        "scope": cause.scope,
        "share": cause.share,
        "share_of_requests": cause.share_of_requests,
        "growth_demand": cause.growth_demand,
        "growth_rps": cause.growth_rps,
        "refused_share": cause.refused_share,
        "newcomer": cause.newcomer,
        "onset": iso(cause.onset) if cause.onset else None,
        "onset_earliest": iso(cause.onset_earliest) if cause.onset_earliest else None,
        "onset_latest": iso(cause.onset_latest) if cause.onset_latest else None,
        "kind": cause.kind,
        "why": cause.why,
    }


def _figures(inquiry: Inquiry, found: Sequence[Cause], lines: pl.DataFrame) -> list[Figure]:
    load = inquiry.frame(
        "load over time by component",
        "select interval_at, interval_s, component, sum(requests) as requests, "
        "sum(demand_s) as demand_s from load_by_interval group by all order by all",
    )
    top = found[0]
    return [
        Figure(
            "growth_bars",
            f"{top.name} {top.does} grew most in demand; grey bars are requests",
            causes_table(found).rows,
        ),
        Figure("growth_ledger", "What the growth in demand is made of, line by line", lines),
        Figure("load_over_time", "Demand over time by component", load),
    ]


def _no_cause(inquiry: Inquiry, totals: dict[str, Any], grown: Growth | None) -> Answer:
    lines = grown.found.ledger if grown else None
    return Answer(
        question=id,
        status="answered",
        confidence="low",
        headline="No cause in this evidence: nothing grew between the two windows by more than "
        "chance moves, and by enough to matter.",
        evidence={
            "measure": "demand",
            "total_growth": lines.totals["demand"].growth if lines else 0.0,
            "totals": totals,
            "causes": [],
            "ledger": ledger_evidence(lines) if lines else [],
        },
        caveats=coverage(inquiry).caveats,
        sql=inquiry.statements,
        tables=[ledger_table(lines)] if lines else [],
    )
