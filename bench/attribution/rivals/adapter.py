"""From an incident to a leaf table, and from elements back to patterns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from ..incident import Axis, Incident, Pattern, Prediction
from .table import Element, Floats, Leaves, Localiser, Mask

DIMS = ("component", "verb", "resource")


@dataclass(frozen=True)
class Cells:
    """Leaves over component, verb and resource, and the label of each code of each dimension."""

    leaves: Leaves
    labels: dict[str, list[str]]

    def grew(self, element: Element) -> bool:
        """Whether the element's demand is larger in the overload; only such can be a cause."""
        rows = self.leaves.covered(element)
        return bool(self.leaves.real[rows].sum() > self.leaves.forecast[rows].sum())

    def pattern(self, element: Element) -> Pattern:
        """The pattern of an element."""
        labels = {dim: self.labels[dim][code] for dim, code in element.items()}
        return Pattern(labels.get("component"), labels.get("verb"), labels.get("resource"))


def cells(incident: Incident) -> Cells:
    """Mean demand per bin of each cell: of the overload (real) and of the baseline (forecast).

    Demand is requests times uncongested cost, in seconds; the means of the clusters are summed. The
    resource of a non-resource URL is "".
    """
    axis = incident.axis
    bins = incident.load["bin"].to_numpy()
    weights = [
        pl.Series(name, means(window, axis)[bins])
        for name, window in (("real", axis.overload), ("forecast", axis.baseline))
    ]
    demand = pl.col("requests") * pl.col("unit_cost_s")
    table = (
        incident.load.with_columns(pl.col("resource").fill_null(""), *weights)
        .group_by(DIMS)
        .agg((demand * pl.col(name)).sum().alias(name) for name in ("real", "forecast"))
        .filter(pl.col("real") + pl.col("forecast") > 0)
        .sort(DIMS)
    )
    codes = table.select(pl.col(DIMS).rank("dense").cast(pl.Int64) - 1).to_numpy()
    labels = {dim: table[dim].unique().sort().to_list() for dim in DIMS}
    leaves = Leaves(DIMS, codes, table["real"].to_numpy(), table["forecast"].to_numpy())
    return Cells(leaves, labels)


def means(window: Mask, axis: Axis) -> Floats:
    """Weight of each bin in the sum that is the mean of a window, of each cluster for itself."""
    counts = np.bincount(axis.cluster, weights=window)
    return window / np.maximum(counts, 1)[axis.cluster]


def answer(localise: Localiser, incident: Incident) -> Prediction:
    """What a localiser of leaf tables says about an incident; it knows no time, so no onset."""
    known = cells(incident)
    if not len(known.leaves.real):
        return Prediction()
    elements = filter(known.grew, localise(known.leaves))
    return Prediction(tuple(dict.fromkeys(known.pattern(element) for element in elements)))
