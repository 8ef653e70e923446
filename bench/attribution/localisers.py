"""Who is scored: ours through its public function, and the trivial answer that it has to beat."""

from __future__ import annotations

import numpy as np
import polars as pl

from kubepostmortem.attribution.attribute import Attribution, attribute
from kubepostmortem.attribution.axis import Axis as OurAxis

from .incident import Incident, Localiser, Pattern, Prediction, pattern_of
from .rivals import RIVALS
from .rivals.adapter import means

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
    axis = incident.axis
    weights = means(axis.overload, axis) - means(axis.baseline, axis)
    weight = pl.Series("weight", weights[incident.load["bin"].to_numpy()])
    demand = pl.col("requests") * pl.col("unit_cost_s") * pl.col("weight")
    return (
        incident.load.with_columns(weight)
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
    widths_s = np.full(len(incident.axis.cluster), incident.axis.width_s)
    axis = OurAxis(**{**vars(incident.axis), "width_s": widths_s})
    return attribute(incident.load, axis)


def localisers() -> dict[str, Localiser]:
    """All that can be scored, by name."""
    return {"ours": ours, "top growth": top_growth, **dict(RIVALS)}
