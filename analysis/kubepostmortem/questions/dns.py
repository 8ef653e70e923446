"""The part that DNS played: victim, amplifier, cause or none, and what in its use was at fault."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from kubepostmortem.questions.coverage import Coverage, coverage
from kubepostmortem.questions.dns_hypotheses.caches import masked, run_out, upstream
from kubepostmortem.questions.dns_hypotheses.cliffs import first_fall, fitted, shares
from kubepostmortem.questions.dns_hypotheses.drawn import chart_rows
from kubepostmortem.questions.dns_hypotheses.facts import Facts, facts
from kubepostmortem.questions.dns_hypotheses.load import added
from kubepostmortem.questions.dns_hypotheses.order import order
from kubepostmortem.questions.dns_hypotheses.role import failed_since, part
from kubepostmortem.questions.dns_hypotheses.servers import restarted, stale, unreachable
from kubepostmortem.questions.dns_hypotheses.told import (
    ROLES,
    Judged,
    headline,
    plain,
    tables,
    worst,
)
from kubepostmortem.questions.dns_hypotheses.verdict import METRICS, PROBES
from kubepostmortem.questions.question import Answer, Confidence, Figure, Inquiry, Missing

id = "dns"
text = {
    "en": (
        "What part did DNS play: victim, amplifier or cause? When did caches run out, how much "
        "load did it add, and what in its use was at fault?"
    ),
    "zh": (
        "DNS 扮演了什么角色：受害者、放大器还是原因？缓存何时耗尽，增加了多少负载，用法上错在哪里？"
    ),
}
needs = ("requests", "incident")

RELISTS = (
    "Clients that could not resolve names may have listed everything anew. The overload makes "
    "clients do so as well, so the evidence bounds this load from above only."
)
PROBED = (
    "Lookups were made by a prober: what applications saw may differ, with caches of their own."
)


def answer(inquiry: Inquiry) -> Answer:
    """Test what could have happened to DNS in each cluster, and judge its part."""
    known = [one for one in facts(inquiry) if one.is_known]
    if not known:
        return _nothing(inquiry)
    rows = shares(inquiry)
    judged = [_judged(inquiry, one, rows) for one in known]
    first = worst(judged)
    seen = coverage(inquiry)
    return Answer(
        question=id,
        status="answered",
        confidence=seen.weaken(_confidence(first)),
        headline=headline(first, len(judged)),
        evidence=plain(_evidence(judged, first, seen)),
        caveats=_caveats(first, seen),
        missing=[*seen.missing, *_missing(first)],
        sql=inquiry.statements,
        figures=[_figure(inquiry, first, rows)],
        tables=tables(judged),
    )


def _nothing(inquiry: Inquiry) -> Answer:
    return Answer(
        question=id,
        status="open",
        confidence="none",
        headline=(
            "Open: the evidence holds nothing about DNS: no requests of DNS servers, no metrics "
            "of theirs, no lookups of a prober."
        ),
        missing=[METRICS, PROBES],
        sql=inquiry.statements,
    )


def _judged(inquiry: Inquiry, one: Facts, rows: pl.DataFrame) -> Judged:
    fits = fitted(rows, one)
    fall = first_fall(fits)
    tests = (
        restarted(one),
        stale(one),
        unreachable(one),
        upstream(one),
        run_out(one, fits),
        masked(one, fits),
    )
    verdicts = {verdict.id: verdict for verdict in tests}
    load = added(inquiry, one, failed_since(one, fall))
    return Judged(one, fits, verdicts, load, part(one, verdicts, load, fall), order(one, fits))


def _evidence(judged: Sequence[Judged], first: Judged, seen: Coverage) -> dict[str, Any]:
    return {
        "coverage": seen.share,
        "role": first.part.role,
        "in_its_use": first.part.in_its_use,
        "clusters": [one.evidence for one in judged],
    }


def _confidence(one: Judged) -> Confidence:
    """High where clients' lookups or codes and the pods are both seen; low with only one thing."""
    seen = [
        bool(one.facts.lookups),
        one.facts.counts("SERVFAIL answers", "other answers"),
        bool(one.facts.pods),
    ]
    steps: tuple[Confidence, ...] = ("low", "low", "medium", "high")
    return steps[sum(seen)]


def _caveats(one: Judged, seen: Coverage) -> list[str]:
    said = [f"What in its use was at fault: {one.part.in_its_use}"]
    if one.load.relists_at_most:
        said.append(RELISTS)
    if one.facts.lookups:
        said.append(PROBED)
    return [*said, *seen.caveats]


def _missing(one: Judged) -> list[Missing]:
    wanted = [lack for verdict in one.verdicts.values() for lack in verdict.missing]
    return list(dict.fromkeys(wanted))


def _figure(inquiry: Inquiry, one: Judged, rows: pl.DataFrame) -> Figure:
    says = ROLES[one.part.role]
    return Figure("dns_cliff", says, chart_rows(inquiry, one.facts, rows, one.order))
