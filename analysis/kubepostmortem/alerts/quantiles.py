"""Quantiles of classic histograms: linear within the bucket that holds the rank."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from kubepostmortem.alerts.aggregating import anywhere, grouped, stacked
from kubepostmortem.alerts.series import Floats, Truths, Vector

BOUND = "le"


def histogram_quantile(quantile: float, buckets: Vector) -> Vector:
    """Return the quantile of each histogram; series without a bound are left out."""
    bounds = [_bound(one.get(BOUND, "")) for one in buckets.labels]
    labels, values, there = [], [], []
    for common, all_rows in grouped(buckets, (BOUND,), ignored=True):
        rows = sorted((row for row in all_rows if bounds[row] is not None), key=bounds.__getitem__)  # type: ignore[arg-type]
        if rows:
            labels.append(common)
            values.append(_quantiles(quantile, [bounds[r] or 0.0 for r in rows], buckets, rows))
            there.append(anywhere(buckets.there[rows]))
    return stacked(labels, values, there, buckets.values.shape[1])


def _bound(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _quantiles(
    quantile: float, bounds: Sequence[float], buckets: Vector, rows: Sequence[int]
) -> Floats:
    counts, there = buckets.values[list(rows)], buckets.there[list(rows)]
    found = np.full(counts.shape[1], math.nan)
    for step in np.flatnonzero(there.any(axis=0)):
        found[step] = _quantile(quantile, *_merged(bounds, counts[:, step], there[:, step]))
    return found


def _merged(
    bounds: Sequence[float], counts: Floats, there: Truths
) -> tuple[list[float], list[float]]:
    """Add up buckets of equal bounds (1 and 1.0), and let counts never fall."""
    sums: dict[float, float] = {}
    for bound, count, known in zip(bounds, counts, there, strict=True):
        if known:
            sums[bound] = sums.get(bound, 0.0) + float(count)
    return list(sums), list(np.maximum.accumulate(list(sums.values())))


def _quantile(quantile: float, bounds: Sequence[float], counts: Sequence[float]) -> float:
    if len(bounds) < 2 or bounds[-1] != math.inf or counts[-1] == 0:
        return math.nan
    if not 0 <= quantile <= 1:
        return math.copysign(math.inf, quantile - 0.5)
    rank = quantile * counts[-1]
    place = next((i for i, count in enumerate(counts[:-1]) if count >= rank), len(counts) - 1)
    if place == len(counts) - 1:
        return bounds[-2]
    if place == 0:
        return bounds[0] if bounds[0] <= 0 else bounds[0] * (rank / counts[0])
    below, within = counts[place - 1], counts[place] - counts[place - 1]
    start = bounds[place - 1]
    return start + (bounds[place] - start) * ((rank - below) / within)
