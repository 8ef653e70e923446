"""Whether the limits of requests in flight were set and reached, and what they shed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from kubepostmortem.errors import MissingEvidence, UsageError
from kubepostmortem.questions.coverage import Coverage, coverage
from kubepostmortem.questions.flow_control import callers, counted, limits, other_limits, trust
from kubepostmortem.questions.flow_control import what_if as tries
from kubepostmortem.questions.flow_control.what_if import WhatIf
from kubepostmortem.questions.question import Answer, Inquiry, Missing, Table
from kubepostmortem.questions.replays import replay
from kubepostmortem.questions.words import number
from kubepostmortem.simulation.effective import Effective, effective
from kubepostmortem.simulation.replaying import Replayable

id = "inflight-limits"
text = {
    "en": (
        "Were the limits of requests in flight set and reached, what did they shed, whom did "
        "they hurt, and what would other values have done?"
    ),
    "zh": "是否设置了并发请求上限，是否达到，拒绝了哪些请求，伤害了谁，换成其他值会怎样？",
}
needs = ("incident",)

CLUSTER = "select min(cluster) as cluster from incident where time_window = 'overload'"
NO_CAPACITY = (
    "Higher limits admit more of the culprit's requests at once, not more capacity: they take "
    "longer, and memory grows. Lower ones shed whoever comes."
)


@dataclass(frozen=True)
class Facts:
    """What is known of the limits of a cluster; one: None without an audit log of the overload."""

    known: Effective
    one: Replayable | None
    in_flight: list[limits.Reached]
    seats: limits.Reached | None
    fared: pl.DataFrame | None
    evictions: int
    counted: pl.DataFrame
    tried: list[WhatIf]

    @property
    def measured(self) -> bool:
        """Whether metrics tell what was used or refused."""
        return bool(self.in_flight) or self.seats is not None or not self.counted.is_empty()

    @property
    def culprit(self) -> str:
        """Who the culprit is, in a sentence."""
        suspect = self.one.suspect if self.one else None
        return (suspect.component if suspect else None) or "many clients"


def answer(inquiry: Inquiry) -> Answer:
    """Tell which limits were in force, how full they were, whom they refused, and what if."""
    facts = _facts(inquiry)
    seen = coverage(inquiry)
    figures = [tries.figure(facts.tried), counted.figure(facts.counted)]
    return Answer(
        question=id,
        status="answered",
        confidence=seen.weaken(trust.confidence(facts.known, facts.one, facts.measured)),
        headline=_headline(facts),
        evidence=_evidence(facts, seen),
        caveats=_caveats(inquiry, facts, seen),
        missing=[*_no_log(facts), *trust.missing(inquiry, id, facts.measured), *seen.missing],
        sql=inquiry.statements,
        figures=[figure for figure in figures if figure is not None],
        tables=_tables(facts),
    )


def _facts(inquiry: Inquiry) -> Facts:
    one = _replayed(inquiry)
    known = one.known if one else effective(inquiry, _cluster(inquiry))
    found = Facts(
        known=known,
        one=one,
        in_flight=limits.in_flight(inquiry, known),
        seats=limits.seats(inquiry, known) if known.apf else None,
        fared=callers.fared(inquiry, one) if one else None,
        evictions=callers.refused_evictions(inquiry, known.cluster),
        counted=counted.counted(inquiry, known.cluster),
        tried=tries.what_if(inquiry, known.cluster, other_limits.wishes(known)) if one else [],
    )
    if one is None and not found.measured:
        raise MissingEvidence("requests", "ingest an audit log, or metrics of the API server")
    return found


def _replayed(inquiry: Inquiry) -> Replayable | None:
    try:
        return replay(inquiry)
    except (MissingEvidence, UsageError):
        return None


def _cluster(inquiry: Inquiry) -> str:
    cluster = inquiry.row("a cluster with an overload", CLUSTER)["cluster"]
    if cluster is None:
        raise MissingEvidence("incident", "no cluster has an overload window")
    return str(cluster)


def _headline(facts: Facts) -> str:
    groups = callers.by_group(facts.fared) if facts.fared is not None else None
    shed = callers.whom_it_hurt(groups, facts.culprit) if groups is not None else _by_metrics(facts)
    return " ".join(filter(None, [_in_force(facts), shed, other_limits.verdict(facts.tried)]))


def _in_force(facts: Facts) -> str:
    told = limits.limits_told(facts.known)
    if not facts.known.apf:
        return (
            f"API Priority and Fairness was off, so {told} decided alone: "
            f"{limits.how_full(facts.in_flight)}."
        )
    seats = facts.seats
    used = f"at most {number(seats.peak)} were in use" if seats else "no metrics tell how many were"
    return (
        f"With API Priority and Fairness on, {told} count only as their sum, "
        f"{facts.known.server.limit} seats for all priority levels: {used}."
    )


def _by_metrics(facts: Facts) -> str:
    refused = sum(counted.reasons(facts.counted).values())
    if not refused:
        return "The metrics count no refused request."
    return f"{refused:,.0f} requests were refused, as the metrics count; of whom, no log tells."


def _evidence(facts: Facts, seen: Coverage) -> dict[str, Any]:
    named = (limits.APF, limits.READS, limits.WRITES)
    fared = facts.fared
    return {
        "cluster": facts.known.cluster,
        "coverage": seen.share,
        "apf": facts.known.apf,
        "limits": [asdict(one) for one in facts.known.settings if one.name in named],
        "conflicts": list(facts.known.conflicts),
        "seats": facts.known.server.limit,
        "reached": [
            one.facts | {"is_a_limit": _counts(one, facts.known)} for one in _reached(facts)
        ],
        "refused_by_metrics": counted.reasons(facts.counted),
        "refused_evictions": facts.evictions,
        "groups": callers.by_group(fared).to_dicts() if fared is not None else [],
        "kinds": callers.by_kind(fared).to_dicts() if fared is not None else [],
        "simulations": [one.facts for one in facts.tried],
        "fit": _fit(facts.one),
    }


def _fit(one: Replayable | None) -> Mapping[str, Any] | None:
    return asdict(one.models.fit) | {"holds": one.models.fit.holds} if one else None


def _reached(facts: Facts) -> list[limits.Reached]:
    return [*facts.in_flight, *([facts.seats] if facts.seats else [])]


def _counts(one: limits.Reached, known: Effective) -> bool:
    return known.apf == (one.kind == "seats")


def _caveats(inquiry: Inquiry, facts: Facts, seen: Coverage) -> list[str]:
    said = [NO_CAPACITY, *tries.too_few(facts.tried)] if facts.tried else []
    if facts.known.apf:
        said.append(
            "Requests in flight may exceed one of the two limits: with API Priority and Fairness "
            "each priority level has a part of their sum, and may borrow from others."
        )
    if any(one.summed for one in _reached(facts)):
        said.append("Metrics are summed over API servers; the limits are of each of them.")
    if facts.evictions:
        said.append(
            f"{facts.evictions:,} evictions were answered 429: disruption budgets do that, not "
            "these limits; they are left out."
        )
    if facts.fared is not None:
        said += counted.unlike_the_log(facts.counted, int(facts.fared["refused"].sum()))
    if facts.one is None:
        return [*said, *trust.of_one_cluster(inquiry, facts.known.cluster), *seen.caveats]
    return [*said, *trust.caveats(inquiry, facts.one, seen)]


def _no_log(facts: Facts) -> list[Missing]:
    if facts.one is not None:
        return []
    return [Missing("audit log of the overload", "ingest audit logs of all API servers")]


def _tables(facts: Facts) -> list[Table]:
    found = [Table("Limits and how full they were", _limits_rows(facts))]
    if facts.fared is not None:
        found.append(callers.groups_table(callers.by_group(facts.fared)))
        found.append(Table("Refused by kind of request", callers.by_kind(facts.fared)))
    if facts.tried:
        found.append(tries.table(facts.tried))
    return [table for table in found if not table.rows.is_empty()]


def _limits_rows(facts: Facts) -> pl.DataFrame:
    rows = [
        {
            "limit": {"readOnly": limits.READS, "mutating": limits.WRITES}.get(one.kind, "seats"),
            "value": one.limit_of_one,
            "peak": one.peak,
            "samples": one.samples,
            # With API Priority and Fairness only the sum is a limit.
            "share_at_limit": one.share if _counts(one, facts.known) else None,
        }
        for one in _reached(facts)
    ]
    return pl.DataFrame(rows)
