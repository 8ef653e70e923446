"""Aggregations over groups of series, and quantiles of classic histograms."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from kubepostmortem.alerts.series import NAME, Floats, Labels, Truths, Vector, key, without

Reduce = Callable[[Floats, Truths], Floats]


def _largest(values: Floats, there: Truths) -> Floats:
    found: Floats = np.fmax.reduce(np.where(there, values, np.nan), axis=0)
    return found


def _smallest(values: Floats, there: Truths) -> Floats:
    found: Floats = np.fmin.reduce(np.where(there, values, np.nan), axis=0)
    return found


def _total(values: Floats, there: Truths) -> Floats:
    total: Floats = np.where(there, values, 0.0).sum(axis=0)
    return total


def _count(values: Floats, there: Truths) -> Floats:
    counted: Floats = there.sum(axis=0).astype(np.float64)
    return counted


def _mean(values: Floats, there: Truths) -> Floats:
    mean: Floats = _total(values, there) / np.maximum(there.sum(axis=0), 1)
    return mean


REDUCE: dict[str, Reduce] = {
    "sum": _total,
    "avg": _mean,
    "max": _largest,
    "min": _smallest,
    "count": _count,
}


def aggregated(op: str, vector: Vector, labels: Sequence[str], ignored: bool) -> Vector:
    """Aggregate series that agree in these labels, or in all others where those are ignored."""
    groups = grouped(vector, labels, ignored)
    parts = [REDUCE[op](vector.values[rows], vector.there[rows]) for _, rows in groups]
    there = [anywhere(vector.there[rows]) for _, rows in groups]
    return stacked([one for one, _ in groups], parts, there, vector.values.shape[1])


def grouped(vector: Vector, labels: Sequence[str], ignored: bool) -> list[tuple[Labels, list[int]]]:
    """Return groups of series: their common labels and where they stand, in order of labels."""
    groups: dict[tuple[tuple[str, str], ...], list[int]] = {}
    for place, one in enumerate(vector.labels):
        kept = (
            without(one, (NAME, *labels))
            if ignored
            else {name: text for name, text in one.items() if name in labels}
        )
        groups.setdefault(key(kept), []).append(place)
    return [(dict(labels), groups[labels]) for labels in sorted(groups)]


def anywhere(there: Truths) -> Truths:
    """Return the moments at which any of some series has a value."""
    return np.asarray(there.any(axis=0))


def stacked(
    labels: Sequence[Labels], values: Sequence[Floats], there: Sequence[Truths], moments: int
) -> Vector:
    """Make a vector of rows."""
    if not labels:
        return Vector.empty(moments)
    return Vector(labels, np.stack(values), np.stack(there))
