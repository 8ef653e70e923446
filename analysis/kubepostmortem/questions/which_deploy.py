"""Which change started it, and which changes near it are innocent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import polars as pl

from kubepostmortem.errors import MissingEvidence
from kubepostmortem.incident import iso
from kubepostmortem.questions.cause import Cause
from kubepostmortem.questions.cause_profile import plain
from kubepostmortem.questions.coverage import coverage
from kubepostmortem.questions.growth import growth, nothing_grew
from kubepostmortem.questions.question import Answer, Confidence, Figure, Inquiry, Missing, Table
from kubepostmortem.questions.suspects.judging import judged
from kubepostmortem.questions.suspects.lookups import candidates, known
from kubepostmortem.questions.words import listed, percent, span, when

id = "which-deploy"
text = {
    "en": "Which change started it, how long before the growth, and which changes are innocent?",
    "zh": "是哪次变更引发的，比负载增长早多久？哪些变更是无辜的？",
}
needs = ("requests", "incident")

PODS = "pods first seen"
INFERRED = (
    "No record tells of this release: its time is that of the first calls (or the placing) of its "
    "new pods."
)
OVER = {"waves": "clients", "nodes": "nodes", "clusters": "clusters"}
SHOWN = 8  # rows of the table; the evidence holds all

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
    found = growth(inquiry)
    primary = [one for one in found.causes if one.kind == "primary"] if found else []
    if not primary:
        return nothing_grew(id, inquiry)
    top = primary[0]
    rows = candidates(inquiry)
    if not rows:
        raise MissingEvidence("deploy_candidates", "ingest a deploy timeline (CSV or JSON)")
    facts = known(inquiry, primary)
    suspects = judged(rows, facts)
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
            "waves": plain([asdict(wave) for wave in facts.waves]),
            "fan_out": asdict(facts.law) if facts.law else None,
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
        tables=_tables(suspects),
    )


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
        f"{span(max(first['lag_s'], 0.0))} later and are {percent(first['share'])} of the growth "
        f"in demand. {_follows(first)}{innocent} other changes are ruled out."
    )


def _follows(first: dict[str, Any]) -> str:
    """Say that the growth goes with the rollout, over nodes or clients, where it does."""
    followed = {one["kind"] for one in first["signs"] if one["supports"]}
    over = [name for kind, name in OVER.items() if kind in followed]
    return f"The load follows its rollout over {listed(over)}. " if over else ""


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


def _tables(suspects: Sequence[dict[str, Any]]) -> list[Table]:
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
    return [Table(says, rows), *_signs(suspects[0])]


def _signs(first: dict[str, Any]) -> list[Table]:
    if first["verdict"] != "cause":
        return []
    words = {True: "for it", False: "against it", None: "neither"}
    rows = [
        {"sign": one["kind"], "speaks": words[one["supports"]], "reason": one["says"]}
        for one in first["signs"]
    ]
    return [Table(f"What speaks for and against {first['service']}", pl.DataFrame(rows))]
