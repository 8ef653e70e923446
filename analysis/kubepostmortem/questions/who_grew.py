"""Which component, verb and resource caused the growth of load."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from kubepostmortem.attribution.causes import Cause
from kubepostmortem.incident import iso
from kubepostmortem.questions.coverage import Coverage, coverage
from kubepostmortem.questions.growth import causes
from kubepostmortem.questions.question import (
    Answer,
    Confidence,
    Figure,
    Inquiry,
    Table,
)
from kubepostmortem.questions.words import listed, percent, resources, when

id = "who-grew"
text = {
    "en": "Which component, verb and resource caused the growth of load, and how much of it?",
    "zh": "是哪个组件、哪种操作、哪类资源造成了负载增长？各占多少？",
}
needs = ("requests", "incident")

IDENTITIES = """
select
    component, verb,
    mode(username) as username,
    count(distinct username) as users,
    mode(user_agent) as user_agent
from overload_requests
group by component, verb
"""

TOTALS = """
select
    sum(growth_rps) as growth_rps, sum(growth_demand) as growth_demand,
    sum(baseline_rps) as baseline_rps, sum(overload_rps) as overload_rps,
    sum(baseline_demand) as baseline_demand, sum(overload_demand) as overload_demand
from load_growth
"""


def answer(inquiry: Inquiry) -> Answer:
    """Rank the growth of demand by component and verb; onset and shedding tell victims apart."""
    totals = inquiry.row("load in both windows", TOTALS)
    found = causes(inquiry)
    if not found:
        return _nothing_grew(inquiry, totals)
    identities = _identities(inquiry)
    seen = coverage(inquiry)
    top = found[0]
    return Answer(
        question=id,
        status="answered",
        confidence=seen.weaken(_confidence(found), compares=True),
        headline=_headline(top, identities[top.component, top.verb]),
        evidence={
            "measure": "demand",
            "total_growth": totals["growth_demand"],
            "total_growth_requests": totals["growth_rps"],
            "totals": totals,
            "coverage": seen.share,
            "causes": [_evidence(c, identities[c.component, c.verb]) for c in found],
        },
        caveats=_caveats(found, seen),
        missing=seen.missing,
        sql=inquiry.statements,
        figures=_figures(inquiry, found),
        tables=[_table(found)],
    )


def _identities(inquiry: Inquiry) -> dict[tuple[str, str], dict[str, Any]]:
    rows = inquiry.rows("who called, by component and verb", IDENTITIES)
    return {(row["component"], row["verb"]): row for row in rows}


def _headline(top: Cause, who: dict[str, Any]) -> str:
    started = f"It began at {when(top.onset)}. " if top.onset else ""
    few = "hardly any" if top.baseline_rps else "no"
    before = f"It made {few} such requests before. " if top.newcomer else ""
    return (
        f"{top.component} ({_user(who)}): {top.verb} of {resources(top.resources)} is "
        f"{percent(top.share)} of the growth in demand and {percent(top.share_of_requests)} of "
        f"the growth in requests. {started}{before}"
    ).strip()


def _user(who: dict[str, Any]) -> str:
    others = who["users"] - 1
    return f"{who['username']} and {others} more users" if others else str(who["username"])


def _evidence(cause: Cause, who: dict[str, Any]) -> dict[str, Any]:
    return {
        "component": cause.component,
        "component_kind": cause.component_kind,
        "user": who["username"],
        "users": who["users"],
        "user_agent": who["user_agent"],
        "verb": cause.verb,
        "resources": list(cause.resources),
        "scope": cause.scope,
        "share": cause.share,
        "share_of_requests": cause.share_of_requests,
        "growth_demand": cause.growth_demand,
        "growth_rps": cause.growth_rps,
        "onset": iso(cause.onset) if cause.onset else None,
        "kind": cause.kind,
        "why": cause.why,
    }


def _confidence(found: Sequence[Cause]) -> Confidence:
    """High needs both measures to agree on a dominant cause; limits of the evidence lower it."""
    top = found[0]
    agree = top.share_of_requests == max(c.share_of_requests for c in found)
    dominant = top.share >= 0.5 and top.onset is not None
    return ("low", "medium", "high")[agree + dominant]


def _caveats(found: Sequence[Cause], seen: Coverage) -> list[str]:
    most = max(found, key=lambda cause: cause.share_of_requests)
    caveats = [
        *seen.caveats,
        "Demand is requests times the uncongested cost of their class (unit_costs): measured "
        "latency would charge victims for the queues that they wait in.",
    ]
    if most is not found[0]:
        caveats.append(
            f"By the number of requests alone {most.component} ({most.verb}) grew most, "
            f"{percent(most.share_of_requests)}; {most.why}."
        )
    costliest = max(found, key=lambda cause: cause.share)
    if costliest is not found[0]:
        caveats.append(
            f"In demand {costliest.component} ({costliest.verb}) grew most, "
            f"{percent(costliest.share)}, but it {costliest.why}; where all of its requests fall "
            "into the overload, their cost is overrated."
        )
    return caveats


def _figures(inquiry: Inquiry, found: Sequence[Cause]) -> list[Figure]:
    load = inquiry.frame(
        "load over time by component",
        "select interval_at, interval_s, component, sum(requests) as requests, "
        "sum(demand_s) as demand_s from load_by_interval group by all order by all",
    )
    top = found[0]
    return [
        Figure(
            "growth_bars",
            f"{top.component} {top.verb} grew most in demand; grey bars are requests",
            _table(found).rows,
        ),
        Figure("load_over_time", "Demand over time by component", load),
    ]


def _table(found: Sequence[Cause]) -> Table:
    rows = [
        {
            "component": cause.component,
            "verb": cause.verb,
            "resources": listed(cause.resources, 6),
            "kind": cause.kind,
            "share_of_demand": cause.share,
            "share_of_requests": cause.share_of_requests,
            "onset": cause.onset,
            "why": cause.why,
        }
        for cause in found
    ]
    return Table("Growth by component and verb, largest demand first", pl.DataFrame(rows))


def _nothing_grew(inquiry: Inquiry, totals: dict[str, Any]) -> Answer:
    return Answer(
        question=id,
        status="answered",
        confidence="low",
        headline="No cause in this evidence: demand did not grow between the two windows.",
        evidence={"total_growth": totals.get("growth_demand") or 0.0, "causes": []},
        caveats=coverage(inquiry).caveats,
        sql=inquiry.statements,
    )
