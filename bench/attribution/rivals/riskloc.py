"""RiskLoc (Kalander, Localization of Multi-dimensional Root Causes by Weighted Risk, 2022).

arXiv 2205.10004. Leaves are parted in two by a cutpoint of their deviation scores. An element's
risk is its weighted share of abnormal leaves, less the part of its deviation that is left when all
its leaves are scaled alike (the ripple effect).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from .table import Cuboid, Element, Floats, Integers, Leaves, Mask, deviation, divided, group

OUTLIERS = 5
"""Extreme deviation scores on either side that do not decide the cutpoint (from the paper)."""


@dataclass(frozen=True)
class Parted:
    """Leaves with their deviation score, part, weight and signed growth, one entry per leaf."""

    leaves: Leaves
    deviation: Floats
    abnormal: Mask
    weight: Floats
    growth: Floats

    def only(self, rows: Integers | Mask) -> Parted:
        """Some of the leaves; the cutpoint stays."""
        return Parted(
            self.leaves.only(rows),
            self.deviation[rows],
            self.abnormal[rows],
            self.weight[rows],
            self.growth[rows],
        )


def riskloc(leaves: Leaves, risk: float = 0.5, share: float = 0.02) -> list[Element]:
    """Elements of a risk of at least `risk` that explain at least `share` of the abnormal growth.

    Both defaults are the paper's. Searches layer by layer, takes the element that explains most,
    removes its leaves, and starts again.
    """
    parted = part(leaves)
    least = share * float(parted.growth[parted.abnormal].sum())
    found: list[Element] = []
    while parted.growth[parted.abnormal].sum() >= least:
        element = _search(parted, least, risk)
        if element is None:
            break
        found.append(element)
        parted = parted.only(~parted.leaves.covered(element))
    return found


def part(leaves: Leaves) -> Parted:
    """Part the leaves by the cutpoint, and weigh them by their distance from normal.

    Noise is taken to be symmetric: the side that reaches less far bounds it.
    """
    scores = deviation(leaves.real, leaves.forecast)
    low, high = extremes(scores)
    cut = min(abs(low), abs(high))
    side = 1.0 if high >= -low else -1.0
    abnormal = side * scores > cut
    weight = np.minimum(np.where(abnormal, np.abs(scores), np.abs(side * cut - scores)), 1)
    weight[(leaves.real == 0) & (leaves.forecast == 0)] = 0
    growth = leaves.real - leaves.forecast
    growth = growth if growth[abnormal].sum() >= 0 else -growth
    return Parted(leaves, scores, abnormal, weight, growth)


def extremes(scores: Floats) -> tuple[float, float]:
    """Least and largest distinct score without the outliers; all count where there are few."""
    distinct = np.unique(scores)
    if len(distinct) <= 2 * OUTLIERS:
        return float(distinct[0]), float(distinct[-1])
    return float(distinct[OUTLIERS]), float(distinct[-1 - OUTLIERS])


def _search(parted: Parted, least: float, risk: float) -> Element | None:
    dims = range(len(parted.leaves.dims))
    hopeful = [_hopeful(parted, dim, least) for dim in dims]
    for layer in range(1, len(dims) + 1):
        best: Element | None = None
        most = least
        for cuboid_dims in combinations(dims, layer):
            rows = np.flatnonzero(np.logical_and.reduce([hopeful[dim] for dim in cuboid_dims]))
            some = parted.only(rows)
            found = _riskiest(some, group(some.leaves, cuboid_dims), most, risk)
            if found is not None:
                best, most = found
        if best is not None:
            return best
    return None


def _hopeful(parted: Parted, dim: int, least: float) -> Mask:
    """Leaves whose value of the dimension may be part of an answer (the paper's pruning).

    Growth of an element is at most the positive growth of each of its values.
    """
    cuboid = group(parted.leaves, [dim])
    rising = cuboid.sums(np.maximum(parted.growth, 0)) >= least
    return (rising & (cuboid.sums(parted.abnormal) > 0))[cuboid.group]


def _riskiest(
    parted: Parted, cuboid: Cuboid, most: float, risk: float
) -> tuple[Element, float] | None:
    """The element of the cuboid that grew most, of those that are risky and grew more than most."""
    growth = cuboid.sums(parted.growth)
    share = weighted_share(parted, cuboid)
    candidates = np.flatnonzero(
        (growth > most) & (share >= risk) & (cuboid.sums(parted.abnormal) > 0)
    )
    if not candidates.size:
        return None
    risky = candidates[(share - unexplained(parted, cuboid))[candidates] >= risk]
    if not risky.size:
        return None
    winner = int(risky[growth[risky].argmax()])
    return cuboid.element(winner), float(growth[winner])


def weighted_share(parted: Parted, cuboid: Cuboid) -> Floats:
    """Abnormal part of the weight of each element (r1 of the paper)."""
    abnormal = cuboid.sums(parted.weight * parted.abnormal)
    normal = cuboid.sums(parted.weight * ~parted.abnormal)
    return abnormal / (abnormal + normal + 1)


def unexplained(parted: Parted, cuboid: Cuboid) -> Floats:
    """Deviation from the ripple effect over the deviation, of each element (r2 of the paper)."""
    real, forecast = parted.leaves.real, parted.leaves.forecast
    counted = (real > 0) & (forecast > 0)
    ratio = divided(cuboid.sums(real * counted), cuboid.sums(forecast * counted))
    left = np.abs(deviation(real, forecast * ratio[cuboid.group])) * counted
    return divided(cuboid.sums(left), cuboid.sums(np.abs(parted.deviation) * counted))
