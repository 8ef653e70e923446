"""The summary: who, what, when, how much, how sure, and what is still open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from kubepostmortem.questions.question import Answer, Inquiry, Missing
from kubepostmortem.questions.words import listed, span
from kubepostmortem.report import cells

WINDOWS = "from incident order by cluster, begins_at"

ANSWERED = """
select
    sum(overload_rps) as requests,
    sum(overload_throttled_rps) as throttled,
    sum(overload_failed_rps) as failed
from load_by_window
"""

NOT_KNOWN = "This evidence does not tell yet what made the load grow."


@dataclass(frozen=True)
class Fact:
    """One number or name that the summary shows large."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Line:
    """Answers in the list of the summary; questions that are open for one reason share a line."""

    questions: Sequence[str]
    confidence: str
    says: str


@dataclass(frozen=True)
class Wanted:
    """Missing evidence, and the questions that want it."""

    missing: Missing
    questions: Sequence[str]


def values(inquiry: Inquiry, answers: Sequence[Answer]) -> dict[str, Any]:
    """Return what the summary shows; works on any evidence, however little."""
    windows = inquiry.frame("the two windows", WINDOWS)
    refused = inquiry.row("requests and refusals during the overload", ANSWERED)
    grew = next((answer for answer in answers if answer.question == "who-grew"), None)
    return {
        "lede": grew.headline if grew and grew.status == "answered" else NOT_KNOWN,
        "clusters": windows["cluster"].unique().sort().to_list(),
        "overload": _overload(windows),
        "facts": [*_facts(grew), *_refused(refused)],
        "answered": _lines([a for a in answers if a.status == "answered" and a is not grew]),
        "open": _lines([a for a in answers if a.status == "open"]),
        "wanted": _wanted(answers),
    }


def _overload(windows: pl.DataFrame) -> str:
    """Write from when to when and how long, over all clusters; empty where no window is set."""
    overload = windows.filter(pl.col("time_window") == "overload")
    if overload.is_empty():
        return ""
    begins, ends = overload["begins_at"].min(), overload["ends_at"].max()
    assert isinstance(begins, datetime) and isinstance(ends, datetime)
    length = span((ends - begins).total_seconds())
    until = f"{ends:%H:%M:%S}" if begins.date() == ends.date() else f"{ends:%Y-%m-%d %H:%M:%S}"
    return f"{begins:%Y-%m-%d %H:%M:%S} to {until} UTC ({length})"


def _facts(grew: Answer | None) -> list[Fact]:
    """Who, when, how much and how sure, from the evidence of who-grew."""
    if grew is None or not grew.evidence.get("causes"):
        return []
    cause, totals = grew.evidence["causes"][0], grew.evidence["totals"]
    resources = listed(cause["resources"], 3)
    share = cells.percent(cause["share_of_requests"])
    return [
        Fact("What grew most", cause["component"], f"{cause['verb']} of {resources}"),
        *_began(cause.get("onset")),
        Fact(
            "Its share of the growth",
            cells.percent(cause["share"]),
            f"of demand; {share} of requests",
        ),
        _growth(totals),
        Fact("Confidence", grew.confidence, _coverage(grew.evidence.get("coverage"))),
    ]


def _began(onset: str | None) -> list[Fact]:
    if not onset:
        return []
    moment = datetime.fromisoformat(onset)
    return [Fact("Began", f"{moment:%H:%M:%S} UTC", f"{moment:%Y-%m-%d}")]


def _growth(totals: Mapping[str, Any]) -> Fact:
    before, during = totals["baseline_demand"], totals["overload_demand"]
    factor = f"{cells.number(round(during / before, 1))} times" if before else "from nothing"
    both = f"{cells.number(before)} to {cells.number(during)} API server seconds per second"
    return Fact("Demand grew", factor, both)


def _coverage(share: float | None) -> str:
    if share is None:
        return "how complete the audit log is, is not known"
    return f"the audit log shows {cells.percent(share)} of the requests counted"


def _refused(row: Mapping[str, Any]) -> list[Fact]:
    if not row.get("requests"):
        return []
    refused = (row["throttled"] + row["failed"]) / row["requests"]
    return [Fact("Turned away", cells.percent(refused), "of requests in the overload: 429 or 5xx")]


def _lines(answers: Sequence[Answer]) -> list[Line]:
    """Take the first sentence of each headline."""
    questions: dict[tuple[str, str], list[str]] = {}
    for answer in answers:
        sentence, stop, _ = answer.headline.partition(". ")
        line = (answer.confidence, sentence + stop.strip())
        questions.setdefault(line, []).append(answer.question)
    return [Line(names, *line) for line, names in questions.items()]


def _wanted(answers: Sequence[Answer]) -> list[Wanted]:
    questions: dict[Missing, list[str]] = {}
    for answer in answers:
        for missing in answer.missing:
            questions.setdefault(missing, []).append(answer.question)
    return [Wanted(missing, names) for missing, names in questions.items()]
