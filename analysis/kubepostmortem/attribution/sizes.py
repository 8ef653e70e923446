"""How large the growth of a cause is: everything that its clients asked for, refused or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from kubepostmortem.attribution.axis import Axis, Flags, Series
from kubepostmortem.attribution.load import Load

NAMED = 0.02  # of the growth: a resource below it is not worth naming
MOSTLY = 2 / 3  # of the growth that makes a verb that of the cause


@dataclass(frozen=True, slots=True)
class Size:
    """What a cause did.

    growth: per second, by requests, demand and seats; refused_share: part of the growth in requests
    that was answered 429; verb and scope: None where there are several; verbs, resources: largest
    growth in demand first; component_kind: None for a pattern across components.
    """

    growth: Mapping[str, float]
    baseline_rps: float
    overload_rps: float
    refused_share: float
    component_kind: str | None
    verb: str | None
    verbs: tuple[str, ...]
    resources: tuple[str, ...]
    scope: str | None


def size_of(cells: Flags, load: Load, axis: Axis) -> Size:
    """Measure the requests of some cells of load."""
    weights = axis.growth_weights()
    counts = load.requests[cells] @ weights
    refused = float((load.throttled[cells] @ weights).sum())
    growth = {
        measure: float(counts @ load.costs(measure)[cells])
        for measure in ("requests", "demand", "seats")
    }
    rows = _grown(cells, counts, load)
    verbs = _ranked(rows, "verb")
    return Size(
        growth=growth,
        baseline_rps=float((load.requests[cells] @ axis.rate_weights(-1.0)).sum()),
        overload_rps=float((load.requests[cells] @ axis.rate_weights(1.0)).sum()),
        refused_share=max(refused, 0.0) / growth["requests"] if growth["requests"] > 0 else 0.0,
        component_kind=_only(rows["kind"]),
        verb=verbs[0] if verbs and _part(rows, "verb", verbs[0]) >= MOSTLY else None,
        verbs=verbs,
        resources=_ranked(rows, "resource"),
        scope=_only(rows["scope"]),
    )


def resources_of(cells: Flags, amounts: Series, load: Load) -> tuple[str, ...]:
    """Name the resources that carry a growth of requests (one amount per cell of `cells`)."""
    return _ranked(_grown(cells, amounts, load), "resource")


def _grown(cells: Flags, amounts: Series, load: Load) -> pl.DataFrame:
    """The cells, with their growth of requests and what that is in demand."""
    demand = amounts * load.costs("demand")[cells]
    grown = pl.Series("requests", amounts), pl.Series("demand", demand)
    return load.cells.filter(pl.Series(cells)).with_columns(grown)


def _ranked(rows: pl.DataFrame, name: str) -> tuple[str, ...]:
    """Values of a column that carry growth in demand or in requests, largest demand first."""
    summed = rows.drop_nulls(name).group_by(name).agg(pl.col("requests", "demand").sum())
    carries = pl.any_horizontal(
        (pl.col(measure) > NAMED * max(float(rows[measure].sum()), 0.0)) & (pl.col(measure) > 0)
        for measure in ("demand", "requests")
    )
    ordered = summed.filter(carries).sort(
        "demand", "requests", name, descending=[True, True, False]
    )
    return tuple(ordered[name])


def _part(rows: pl.DataFrame, name: str, value: str) -> float:
    """Part of the growth that one value has: in demand, where that is known, else in requests."""
    measure = "demand" if rows["demand"].sum() > 0 else "requests"
    whole = float(rows[measure].sum())
    return float(rows.filter(pl.col(name) == value)[measure].sum()) / whole if whole > 0 else 0.0


def _only(values: pl.Series) -> str | None:
    return str(values[0]) if values.n_unique() == 1 else None
