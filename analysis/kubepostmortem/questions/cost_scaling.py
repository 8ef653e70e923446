"""How cost grows with cluster size, where it breaks, and how large a test must be to show it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from kubepostmortem.questions.callers import workloads
from kubepostmortem.questions.cause import Cause
from kubepostmortem.questions.coverage import Coverage, coverage
from kubepostmortem.questions.growth import first_cause, nothing_grew
from kubepostmortem.questions.question import Answer, Inquiry
from kubepostmortem.questions.scaling import provisos, shown, told
from kubepostmortem.questions.scaling.laws import Laws, laws
from kubepostmortem.questions.scaling.limits import Limit, limits
from kubepostmortem.questions.scaling.points import Point, points
from kubepostmortem.questions.scaling.power_law import Estimate
from kubepostmortem.questions.scaling.sizes import (
    Break,
    LoadTest,
    breaks,
    load_test,
    predictions,
    smallest,
    stands_out,
)
from kubepostmortem.questions.waves import law, waves

id = "cost-scaling"
text = {
    "en": (
        "How does the cost grow with cluster size, from which size on does it break, and how "
        "large must a test cluster be to show it?"
    ),
    "zh": "成本如何随集群规模增长，从多大规模开始失效，测试集群要多大才能暴露它？",
}
needs = ("requests", "incident")


def answer(inquiry: Inquiry) -> Answer:
    """Fit the laws of the first cause to clusters of several sizes, else to waves of one."""
    top = first_cause(inquiry)
    if top is None:
        return nothing_grew(id, inquiry)
    seen = coverage(inquiry)
    found = points(inquiry, top.calls)
    known = laws(found, law(inquiry, top.calls, _interval_s(found)), _in_waves(inquiry, top))
    if known is None:
        return _open(inquiry, top, found, seen)
    bounds = limits(inquiry, top, found)
    met = breaks(known, bounds)
    least = smallest(known, met[0].limit) if met else None
    tests = _tests(known, met, least, found)
    expected = predictions(known, bounds, found)
    return Answer(
        question=id,
        status="answered",
        confidence=seen.weaken(told.confidence(known, met)),
        headline=told.headline(top, known, met, least, found),
        evidence={
            "component": top.component,
            "coverage": seen.share,
            **_evidence(known, bounds, met, found),
            "smallest_test": asdict(least) if least else None,
            "stands_out": _plain(stands_out(known)),
            "tests": [one.facts for one in tests],
            "predictions": expected,
        },
        caveats=[*provisos.caveats(known, bounds, met, found), *seen.caveats],
        missing=[*told.missing(known, bounds, found), *seen.missing],
        sql=inquiry.statements,
        figures=[shown.figure(known, bounds, met, found)],
        tables=shown.tables(known, found, expected, tests),
    )


def _interval_s(found: Sequence[Point]) -> float | None:
    return max((one.pace.period_s for one in found if one.pace.period_s), default=None)


def _in_waves(inquiry: Inquiry, top: Cause) -> bool:
    """Tell whether the clients of any cluster came in more than one wave."""
    own = [one.workload for one in workloads(inquiry, top.calls)]
    clusters = Counter(one.cluster for one in waves(inquiry, top.calls, own))
    return max(clusters.values(), default=0) >= 2


def _tests(
    known: Laws, met: Sequence[Break], least: Estimate | None, found: Sequence[Point]
) -> list[LoadTest]:
    """Return the smallest test that shows it, and one as large as where it breaks or broke."""
    largest = max([float(found[-1].nodes), *(one.first for one in met[:1])])
    sizes = [least.value] if least else []
    return [load_test(known, found, size) for size in (*sizes, largest)]


def _evidence(
    known: Laws, bounds: Sequence[Limit], met: Sequence[Break], found: Sequence[Point]
) -> dict[str, Any]:
    return {
        "measured_by": known.measured_by,
        "points": [one.facts for one in found],
        "laws": known.facts,
        "laws_by_objects": known.facts_by_objects,
        "expected_exponents": dict(known.expected),
        "limits": [one.facts for one in bounds],
        "breaks": [one.facts for one in met],
    }


def _plain(estimate: Estimate | None) -> dict[str, Any] | None:
    return asdict(estimate) if estimate else None


def _open(inquiry: Inquiry, top: Cause, found: Sequence[Point], seen: Coverage) -> Answer:
    why, missing = told.lacking(top, found, seen)
    return Answer(
        question=id,
        status="open",
        confidence="none",
        headline=f"Open: {why}.",
        evidence={"component": top.component, "points": [one.facts for one in found]},
        caveats=seen.caveats,
        missing=missing,
        sql=inquiry.statements,
    )
