"""Who is scored: ours through its public function, and the trivial answer that it has to beat."""

from __future__ import annotations

import numpy as np
import polars as pl

from kubepostmortem.attribution.attribute import Attribution, attribute
from kubepostmortem.attribution.axis import Axis as OurAxis

from .incident import Axis, Incident, Localiser, Pattern, Prediction, pattern_of
from .rivals import RIVALS

EXPLAINED = 0.6  # the trivial answer names cells until they make up this part of the growth


def top_growth(incident: Incident) -> Prediction:
    """The cells that grew most in demand; the onset is where the overload begins."""
    grown = growth(incident).filter(pl.col("growth_s") > 0).sort("growth_s", descending=True)
    before = pl.col("growth_s").cum_sum() - pl.col("growth_s")
    named = grown.filter(before < EXPLAINED * pl.col("growth_s").sum())
    keys = named.select("component", "verb", "resource").iter_rows()
    onset = float(np.flatnonzero(incident.axis.overload)[0])
    return Prediction(tuple(pattern_of(key) for key in keys), onset)


def growth(incident: Incident) -> pl.DataFrame:
    """Growth of demand per (component, verb, resource), in seconds per bin: `growth_s`."""
    weights = pl.DataFrame(
        {"bin": np.arange(len(incident.axis.cluster)), "weight": _weights(incident.axis)}
    )
    demand = pl.col("requests") * pl.col("unit_cost_s") * pl.col("weight")
    return (
        incident.load.join(weights, on="bin")
        .group_by("component", "verb", "resource", maintain_order=True)
        .agg(growth_s=demand.sum())
    )


def ours(incident: Incident) -> Prediction:
    """What `kubepostmortem.attribution` names as primary causes, in its order."""
    primary = attributed(incident).primary
    patterns = (pattern for cause in primary for pattern in cause.named.exactly)
    began_s = primary[0].began_s if primary else None
    return Prediction(
        tuple(Pattern(one.component, one.verb, one.resource) for one in patterns),
        None if began_s is None else began_s / incident.axis.width_s,
    )


def attributed(incident: Incident) -> Attribution:
    """All that `kubepostmortem.attribution` says of an incident."""
    axis = OurAxis(**{**vars(incident.axis), "width_s": _widths_s(incident.axis)})
    return attribute(incident.load, axis)


def localisers() -> dict[str, Localiser]:
    """All that can be scored, by name."""
    return {"ours": ours, "top growth": top_growth, **dict(RIVALS)}


def _weights(axis: Axis) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Per bin: the mean of the overload less that of the baseline is a weighted sum."""
    weights = np.zeros(len(axis.cluster))
    for cluster in np.unique(axis.cluster):
        for window, sign in ((axis.overload, 1.0), (axis.baseline, -1.0)):
            bins = window & (axis.cluster == cluster)
            weights[bins] += sign / bins.sum()
    return weights


def _widths_s(axis: Axis) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.full(len(axis.cluster), axis.width_s)
