"""The trivial answer: the cells that grew most, without a thought. Shown beside ours."""

from __future__ import annotations

from kubepostmortem.attribution.axis import Axis
from kubepostmortem.attribution.load import Load
from kubepostmortem.attribution.patterns import Pattern

ENOUGH = 0.6  # of all positive growth


def largest_growth(load: Load, axis: Axis, measure: str = "demand") -> list[tuple[Pattern, float]]:
    """Return the largest cells by growth until they make 60 % of it, each with its share."""
    growth = (load.requests @ axis.growth_weights()) * load.costs(measure)
    cells = load.cells.select("component", "verb", "resource").with_columns(growth=growth)
    summed = cells.group_by("component", "verb", "resource", maintain_order=True).sum()
    positive = summed.filter(summed["growth"] > 0)
    whole, taken, found = float(positive["growth"].sum()), 0.0, []
    ordered = positive.sort(
        "growth", "component", "verb", "resource", descending=[True] + [False] * 3
    )
    for component, verb, resource, one in ordered.iter_rows():
        if taken >= ENOUGH * whole:
            break
        taken += one
        found.append((Pattern(component, verb or "", resource or ""), one / whole))
    return found
