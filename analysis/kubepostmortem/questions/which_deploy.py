"""Which change started it, and which changes near it are innocent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import polars as pl

from kubepostmortem.errors import MissingEvidence
from kubepostmortem.incident import iso
from kubepostmortem.questions.cause import Cause
from kubepostmortem.questions.coverage import coverage
from kubepostmortem.questions.growth import first_cause, nothing_grew
from kubepostmortem.questions.question import Answer, Confidence, Figure, Inquiry, Missing, Table
from kubepostmortem.questions.words import percent, span, when

id = "which-deploy"
text = {
    "en": "Which change started it, how long before the growth, and which changes are innocent?",
    "zh": "是哪次变更引发的，比负载增长早多久？哪些变更是无辜的？",
}
needs = ("requests", "incident")

GROWN = 0.02  # of the total growth of demand: below it a deploy's own calls did not grow
SLACK_S = 5.0  # clocks of pipelines and API servers differ a little
PODS = "pods first seen"
INFERRED = (
    "No record tells of this release: its time is that of the first calls (or the placing) of its "
    "new pods."
)
SHOWN = 8  # rows of the table; the evidence holds all

CANDIDATES = """
select candidates.*,
    coalesce(growth_demand, 0) / nullif((select sum(growth_demand) from load_growth), 0) as share,
    growth_rps
from deploy_candidates as candidates
left join growth_by_client using (cluster, namespace, service)
where applied_at >= (select min(begins_at) - interval 1 hour from incident)
    and applied_at < (select max(ends_at) from incident)
order by applied_at, service, namespace, candidates.cluster
"""

STEPS = """
select applied_at, action, actor, reported_by from deploy_steps
where service = $service and namespace is not distinct from $namespace
    and applied_at between $first and $last
order by applied_at, reported_by
"""

LOAD = """
select interval_at as happened_at, sum(demand_s) / any_value(interval_s) as demand
from load_by_interval group by interval_at order by interval_at
"""


def answer(inquiry: Inquiry) -> Answer:
    """Rank releases by their own clients' growth, and rule out what came after the growth."""
    top = first_cause(inquiry)
    if top is None:
        return nothing_grew(id, inquiry)
    candidates = inquiry.rows("releases near the incident", CANDIDATES)
    if not candidates:
        raise MissingEvidence("deploy_candidates", "ingest a deploy timeline (CSV or JSON)")
    suspects = _rank([_suspect(row, top) for row in candidates])
    seen = coverage(inquiry)
    first = suspects[0]
    return Answer(
        question=id,
        status="answered" if first["verdict"] == "cause" else "open",
        confidence=seen.weaken(_confidence(first)),
        headline=_headline(suspects, top),
        evidence={
            "onset": iso(top.onset) if top.onset else None,
            "coverage": seen.share,
            "suspects": suspects,
            "steps": _steps(inquiry, first),
        },
        caveats=[
            "A release is tied to the growth through the calls of its own workload or service "
            "account; one that makes others call more is not found this way.",
            *_inferred(first),
            *seen.caveats,
        ],
        missing=_missing(inquiry, first),
        sql=inquiry.statements,
        figures=[_figure(inquiry, suspects)],
        tables=[_table(suspects)],
    )


def _suspect(row: dict[str, Any], top: Cause) -> dict[str, Any]:
    lag = (top.onset - row["applied_at"]).total_seconds() if top.onset else None
    share = float(row["share"] or 0)
    verdict, reason = _verdict(row, share, lag)
    return {
        "service": row["service"],
        "namespace": row["namespace"],
        "cluster": row["cluster"],
        "at": iso(row["applied_at"]),
        "last_step_at": iso(row["last_step_at"]),
        "version": row["version"],
        "kind": row["kind"],
        "actor": row["actor"],
        "actions": row["actions"],
        "reported_by": row["reported_by"],
        "lag_s": lag,
        "share": share,
        "verdict": verdict,
        "reason": reason,
    }


def _verdict(row: dict[str, Any], share: float, lag: float | None) -> tuple[str, str]:
    """Judge one release: a cause precedes its effect, and its own clients carry the growth."""
    if lag is not None and lag < -SLACK_S:
        return "innocent", f"applied {span(-lag)} after the growth began"
    if row["growth_rps"] is None:
        return "possible", "makes no API calls of its own that the log shows"
    if share < GROWN:
        return "innocent", f"its own calls are {percent(max(share, 0))} of the growth"
    if lag is None:
        return "possible", f"its own calls are {percent(share)} of the growth; no onset is known"
    return "cause", f"its own calls are {percent(share)} of the growth, {span(lag)} after it"


def _rank(suspects: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Order by verdict, share and nearness; a known cause rules the other ones out."""
    known = any(suspect["verdict"] == "cause" for suspect in suspects)
    if known:
        suspects = [_ruled_out(suspect) for suspect in suspects]
    order = {"cause": 0, "possible": 1, "innocent": 2}
    ranked = sorted(
        suspects,
        key=lambda s: (order[s["verdict"]], -s["share"], abs(s["lag_s"] or 0), _name(s)),
    )
    return [{"rank": place, **suspect} for place, suspect in enumerate(ranked, start=1)]


def _name(suspect: dict[str, Any]) -> tuple[str, str, str]:
    return suspect["service"], suspect["namespace"] or "", suspect["cluster"]


def _ruled_out(suspect: dict[str, Any]) -> dict[str, Any]:
    if suspect["verdict"] != "possible":
        return suspect
    reason = f"{suspect['reason']}; another release explains the growth"
    return {**suspect, "verdict": "innocent", "reason": reason}


def _headline(suspects: Sequence[dict[str, Any]], top: Cause) -> str:
    first = suspects[0]
    if first["verdict"] != "cause":
        return (
            f"Open: no release is tied to the growth of {top.name}; "
            f"{sum(s['verdict'] == 'possible' for s in suspects)} are possible."
        )
    name = " ".join(filter(None, [first["service"], first["version"]]))
    at = _moment(first["at"])
    by = f" by {first['actor']}" if first["actor"] else ""
    innocent = sum(s["verdict"] == "innocent" for s in suspects)
    return (
        f"{name}, applied at {when(at)}{by}: its calls began "
        f"{span(first['lag_s'])} later and are {percent(first['share'])} of the growth in demand. "
        f"{innocent} other changes are ruled out."
    )


def _confidence(first: dict[str, Any]) -> Confidence:
    if first["verdict"] != "cause":
        return "none"
    near = first["share"] > 0.5 and first["lag_s"] < 600
    return "high" if near and not _inferred(first) else "medium"


def _inferred(first: dict[str, Any]) -> list[str]:
    """What to beware of where nobody reported the release: nothing but its new pods tells of it."""
    pods = first["verdict"] == "cause" and first["reported_by"] == PODS
    return [INFERRED] if pods else []


def _steps(inquiry: Inquiry, first: dict[str, Any]) -> list[dict[str, Any]]:
    rows = inquiry.rows(
        "steps of the first suspect",
        STEPS,
        service=first["service"],
        namespace=first["namespace"],
        first=first["at"],
        last=first["last_step_at"],
    )
    return [{**row, "applied_at": iso(row["applied_at"])} for row in rows]


def _missing(inquiry: Inquiry, first: dict[str, Any]) -> list[Missing]:
    if inquiry.has("deploys") and first["verdict"] == "cause":
        return []
    return [Missing("deploys", "export deploys from CI/CD as CSV: time,service,namespace,version")]


def _figure(inquiry: Inquiry, suspects: Sequence[dict[str, Any]]) -> Figure:
    load = inquiry.frame("demand over time", LOAD).with_columns(layer=pl.lit("load"))
    deploys = pl.DataFrame(
        {
            "happened_at": [_moment(suspect["at"]) for suspect in suspects],
            "service": [suspect["service"] for suspect in suspects],
            "verdict": [suspect["verdict"] for suspect in suspects],
        }
    ).filter(pl.col("happened_at") >= load["happened_at"].min())
    rows = pl.concat([load, deploys.with_columns(layer=pl.lit("deploy"))], how="diagonal_relaxed")
    return Figure("deploys_and_load", "Demand, and the changes around it", rows)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=None)


def _table(suspects: Sequence[dict[str, Any]]) -> Table:
    left = len(suspects) - SHOWN
    rows = pl.DataFrame(suspects[:SHOWN], infer_schema_length=None).select(
        "rank",
        pl.concat_str("namespace", "service", separator="/", ignore_nulls=True).alias("service"),
        "version",
        pl.Series("at", [_moment(suspect["at"]) for suspect in suspects[:SHOWN]]),
        "actor",
        "share",
        "verdict",
        "reason",
    )
    says = "Changes near the incident" + (f", the first {SHOWN}; {left} more" if left > 0 else "")
    return Table(says, rows)
