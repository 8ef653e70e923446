"""Lookups that several questions share: what caused the growth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import polars as pl

from kubepostmortem.attribution import cause as judged
from kubepostmortem.attribution.attribute import Attribution, attribute
from kubepostmortem.attribution.axis import Axis
from kubepostmortem.incident import iso
from kubepostmortem.questions.calls import MATCHING
from kubepostmortem.questions.cause import Cause
from kubepostmortem.questions.question import Answer, Inquiry, Missing

LOAD = "from load_in_bins order by all"
BINS = "from comparison_bins order by bin"
FIRST = f"""
select min(received_at) as first_at
from requests
where {MATCHING} and received_at >= $since::timestamp
"""


@dataclass(frozen=True, slots=True, eq=False)
class Growth:
    """What the attribution found, and its causes as questions speak of them, primary ones first."""

    found: Attribution
    causes: list[Cause]


def growth(inquiry: Inquiry) -> Growth | None:
    """Attribute the growth between the windows; None where there is no load in both of them."""
    found = _attributed(inquiry)
    if found is None:
        return None
    return Growth(found, [_cause(one, found, inquiry) for one in found.causes])


def first_cause(inquiry: Inquiry) -> Cause | None:
    """Return the cause that comes first; None where no primary one is known."""
    found = _attributed(inquiry)
    if found is None or not found.primary:
        return None
    return _cause(found.primary[0], found, inquiry)


def nothing_grew(question: str, inquiry: Inquiry) -> Answer:
    """The open answer to a question about the cause where none is known."""
    return Answer(
        question=question,
        status="open",
        confidence="none",
        headline="Open: nothing grew enough between the windows to be a cause to look at.",
        missing=[Missing("a window with more load", "kubepostmortem window --overload BEGIN/END")],
        sql=inquiry.statements,
    )


def _attributed(inquiry: Inquiry) -> Attribution | None:
    bins = inquiry.settled("bins of the comparison", BINS)
    load = inquiry.settled("load of every cell, per bin", LOAD)
    if bins.is_empty() or load.is_empty():
        return None
    return attribute(load, _axis(bins))


def _axis(bins: pl.DataFrame) -> Axis:
    spans = bins["time_span"]
    return Axis(
        width_s=bins["width_s"].to_numpy(),
        cluster=bins["cluster"].rank("dense").cast(pl.Int64).to_numpy(),
        baseline=(spans == "baseline").to_numpy(),
        overload=(spans == "overload").to_numpy(),
        nodes_before=bins["nodes_before"].cast(pl.Float64).to_numpy(),
        nodes_joined=bins["nodes_joined"].cast(pl.Float64).to_numpy(),
        begins_s=bins["begins_at"].dt.epoch("us").to_numpy() / 1e6,
    )


def _cause(one: judged.Cause, found: Attribution, inquiry: Inquiry) -> Cause:
    size, totals = one.size, found.ledger.totals
    onset = one.onset
    cause = Cause(
        component=one.pattern.component,
        component_kind=size.component_kind,
        verb=one.pattern.verb or size.verb,
        verbs=size.verbs,
        resources=size.resources,
        scope=size.scope,
        growth_rps=size.growth["requests"],
        growth_demand=size.growth["demand"],
        share=_part(size.growth["demand"], totals["demand"].growth),
        share_of_requests=_part(size.growth["requests"], totals["requests"].growth),
        refused_share=size.refused_share,
        baseline_rps=size.baseline_rps,
        newcomer=one.newcomer,
        onset=None,
        onset_earliest=_time(onset.earliest_s) if onset else None,
        onset_latest=_time(onset.latest_s) if onset else None,
        kind=one.kind,
        why=one.why,
    )
    return replace(cause, onset=_first_request(cause, onset, inquiry)) if onset else cause


def _first_request(cause: Cause, onset: judged.Began, inquiry: Inquiry) -> datetime | None:
    """Return its first request in the bin in which it began to grow, or after."""
    row = inquiry.row(
        "its first request since it began to grow",
        FIRST,
        **cause.calls.parameters,
        since=iso(_time(onset.began_s)),
    )
    first: datetime | None = row["first_at"]
    return first


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def _part(amount: float, total: float) -> float:
    return amount / total if total > 0 else 0.0
