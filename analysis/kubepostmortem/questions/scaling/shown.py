"""Rows that readers see: clusters, laws, predictions, tests, and the chart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from kubepostmortem.questions.question import Figure, Table
from kubepostmortem.questions.scaling.laws import THEORY, Laws
from kubepostmortem.questions.scaling.limits import Limit
from kubepostmortem.questions.scaling.points import MEASURES, Point
from kubepostmortem.questions.scaling.sizes import Break, LoadTest
from kubepostmortem.questions.words import number

PANELS = {
    "requests": "Requests per second that clients would ask",
    "seats": "Seats held",
    "executing": "Requests executing",
    "cpu": "Cores added to API servers",
}
STEPS = 25  # points of a drawn curve


def tables(
    known: Laws,
    found: Sequence[Point],
    expected: Sequence[Mapping[str, Any]],
    tests: Sequence[LoadTest],
) -> list[Table]:
    """Return the tables: clusters, laws, what is expected at which size, tests."""
    return [
        Table("Clusters, while most clients of the cause called", _clusters(found)),
        Table("Laws: load grows as size to the power of the exponent", _laws(known)),
        Table("Extrapolated: what a cluster of a size would see", _predictions(expected)),
        Table("Load tests that would have shown it", pl.DataFrame([one.facts for one in tests])),
    ]


def figure(
    known: Laws, limits: Sequence[Limit], met: Sequence[Break], found: Sequence[Point]
) -> Figure:
    """Draw each measure against nodes: clusters, the law with its interval, and the limit."""
    shown = [name for name in PANELS if name in known.by_nodes and _wanted(name, limits)]
    least, most = _reach(met, found)
    sizes = np.geomspace(0.6 * least, 1.6 * most, STEPS)
    rows = [row for name in shown for row in _panel(name, known, limits, found, sizes)]
    frame = pl.DataFrame(rows, schema=COLUMNS)
    return Figure("fan_out", "Cost against the size of the cluster, both logarithmic", frame)


COLUMNS = {
    "measure": pl.String,
    "part": pl.String,
    "cluster": pl.String,
    "nodes": pl.Float64,
    "load": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
}


def _wanted(name: str, limits: Sequence[Limit]) -> bool:
    """Of seats and requests executing, only what is limited."""
    return name not in ("seats", "executing") or any(one.measure == name for one in limits)


def _reach(met: Sequence[Break], found: Sequence[Point]) -> tuple[float, float]:
    """Return which sizes to draw: the clusters, and from well below the first limit to beyond."""
    sizes = [float(one.nodes) for one in found]
    for first in met[:1]:
        sizes += [first.first / 3, first.last or first.first]
    return min(sizes), max(sizes)


def _panel(
    name: str, known: Laws, limits: Sequence[Limit], found: Sequence[Point], sizes: Any
) -> Iterator[dict[str, Any]]:
    title = PANELS[name]
    for one in found:
        mean = MEASURES[name](one)
        if mean and mean.value > 0:
            part = "held back" if one.held_back and name != "requests" else "measured"
            yield _row(title, part, one.nodes, mean.value, None, None, one.cluster)
        if name == "requests" and one.held_back:
            yield _row(title, "held back", one.nodes, one.recorded.value, None, None, one.cluster)
    for size in sizes.tolist():
        law = known.by_nodes[name].at(size)
        yield _row(title, "law", size, law.value, law.low, law.high)
    for limit in limits:
        # What cores are used for without the cause is left of the limit for it.
        spare = _used_without(known, limit, found)
        if limit.measure == name and limit.most > spare:
            least = max(limit.least - spare, 0.0) or limit.most - spare
            yield _row(title, "limit", sizes[-1], least, least, limit.most - spare)


def _used_without(known: Laws, limit: Limit, found: Sequence[Point]) -> float:
    law = known.by_nodes.get("baseline_cpu")
    return law.at(found[-1].nodes).value if law and limit.measure == "cpu" else 0.0


def _row(
    measure: str,
    part: str,
    nodes: float,
    load: float,
    low: float | None,
    high: float | None,
    cluster: str | None = None,
) -> dict[str, Any]:
    return {
        "measure": measure,
        "part": part,
        "cluster": cluster,
        "nodes": float(nodes),
        "load": load,
        "low": low,
        "high": high,
    }


def _clusters(found: Sequence[Point]) -> pl.DataFrame:
    rows = [
        {
            "cluster": one.cluster,
            "nodes": one.nodes,
            "objects": one.objects,
            "clients": one.clients,
            "period_s": one.pace.period_s,
            "offered_per_s": one.pace.offered,
            "recorded_per_s": one.recorded.value,
            "refused_share": one.pace.refused_share,
            "held_back": one.held_back,
            "seats_held": one.seats.value,
            "seats_quiet": one.pace.quiet_seats,
            "growth_cores": one.growth_cores.value if one.growth_cores else None,
        }
        for one in found
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _laws(known: Laws) -> pl.DataFrame:
    against = (("nodes", known.by_nodes), ("objects", known.by_objects))
    rows = [
        {
            "measure": name,
            "against": size,
            "exponent": law.exponent,
            "low": law.low,
            "high": law.high,
            "clusters": law.points,
            "known_by": THEORY
            if name in known.by_theory and size == "nodes"
            else known.measured_by,
            "theory": known.expected["requests" if name == "requests" else "costs"],
        }
        for size, laws in against
        for name, law in laws.items()
        if name != "baseline_cpu"
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _predictions(expected: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    rows = [
        {"nodes": row["nodes"]}
        | {name: _between(row.get(name)) for name in PANELS if any(name in r for r in expected)}
        | {"saturated": row["saturated"], "sure": row["sure"]}
        for row in expected
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _between(estimate: Mapping[str, float] | None) -> str | None:
    if estimate is None:
        return None
    value, low, high = (number(estimate[part]) for part in ("value", "low", "high"))
    return f"{value} ({low} to {high})"
