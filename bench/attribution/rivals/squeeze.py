"""Squeeze (Li et al., Generic and Robust Localization of Multi-Dimensional Root Causes).

ISSRE 2019. Bottom-up: leaves that deviate alike are clusters. Top-down: in each cuboid, the
elements that hold most of a cluster are taken as long as the generalised potential score rises. The
weight of the score against succinctness is the revised one of PSqueeze (arXiv 2305.03331).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from .density import clusters
from .table import Element, Floats, Integers, Leaves, Mask, deviation, divided, group

ENOUGH = 0.9
"""Deeper layers are not searched once a score is above this (from the paper)."""

ELEMENTS = 12
"""At most so many elements explain one cluster (from the authors' program)."""


@dataclass(frozen=True)
class Explanation:
    """Elements of one cuboid that explain a cluster; `score` is at most 1."""

    elements: list[Element]
    score: float
    layer: int

    def rank(self, weight: float) -> float:
        """Score against succinctness."""
        return weight * self.score - len(self.elements) * self.layer


def squeeze(leaves: Leaves) -> list[Element]:
    """Elements that explain the clusters, largest change of a cluster first."""
    counted = leaves.only(leaves.real + leaves.forecast > 0)
    found = clusters(counted)
    if not found:
        return []
    change = np.abs(counted.real - counted.forecast)
    found.sort(key=lambda cluster: -change[cluster].sum())
    weight = _weight(counted, found)
    normal = _normal(counted, found)
    elements: dict[tuple[tuple[str, int], ...], Element] = {}
    for cluster in found:
        best = max(_explanations(counted, cluster, normal), key=lambda it: it.rank(weight))
        elements |= {tuple(element.items()): element for element in best.elements}
    return list(elements.values())


def _normal(leaves: Leaves, found: list[Mask]) -> Mask:
    """Leaves that deviate less than any of a cluster."""
    size = np.abs(deviation(leaves.real, leaves.forecast))
    normal: Mask = size < size[np.logical_or.reduce(found)].min()
    return normal


def _weight(leaves: Leaves, found: list[Mask]) -> float:
    """Weight of the score: larger for many values and few abnormal leaves."""
    values = sum(len(np.unique(column)) for column in leaves.codes.T)
    coverage = sum(cluster.sum() for cluster in found) / len(leaves.real)
    by_clusters = np.log(len(found) + 1) / len(found)
    return float(by_clusters * values / np.log(values + 1) * -np.log(coverage))


def _explanations(leaves: Leaves, cluster: Mask, normal: Mask) -> list[Explanation]:
    dims = range(len(leaves.dims))
    found: list[Explanation] = []
    for layer in range(1, len(dims) + 1):
        cuboids = combinations(dims, layer)
        found += [_explain(leaves, cluster, normal, cuboid_dims) for cuboid_dims in cuboids]
        if any(explanation.score > ENOUGH for explanation in found):
            break
    return found


def _explain(leaves: Leaves, cluster: Mask, normal: Mask, dims: tuple[int, ...]) -> Explanation:
    """Elements that hold most of the cluster; as many as give the best score."""
    cuboid = group(leaves, dims)
    inside = cuboid.sums(cluster)
    held = divided(inside, cuboid.sums(np.ones(len(cluster))))
    order = np.lexsort((-inside, -held))[: min(ELEMENTS, np.count_nonzero(inside))]
    place = np.full(len(inside), len(order))
    place[order] = np.arange(len(order))
    judged = cluster | normal
    scores = list(_scores(leaves.only(judged), place[cuboid.group[judged]], len(order)))
    best = int(np.argmax(scores))
    elements = [cuboid.element(int(number)) for number in order[: best + 1]]
    return Explanation(elements, scores[best], len(dims))


def _scores(leaves: Leaves, place: Integers, count: int) -> Iterator[float]:
    """Score of the first 1, 2, ... `count` elements; `place` is that of each leaf's element."""
    for last in range(count):
        yield potential(leaves.real, leaves.forecast, place <= last)


def potential(real: Floats, forecast: Floats, chosen: Mask) -> float:
    """Generalised potential score of the chosen leaves, at most 1.

    1 - (mean |v - a| of the chosen + mean |v - f| of the others) / (mean |v - f| of the chosen +
    mean |v - f| of the others), a being the forecast scaled as the chosen leaves were as a whole.
    """
    ratio = real[chosen].sum() / max(forecast[chosen].sum(), 1e-12)
    left = _mean(np.abs(real - forecast * ratio)[chosen])
    before = _mean(np.abs(real - forecast)[chosen])
    others = _mean(np.abs(real - forecast)[~chosen])
    return 1 - (left + others) / max(before + others, 1e-12)


def _mean(values: Floats) -> float:
    return float(values.mean()) if values.size else 0.0
