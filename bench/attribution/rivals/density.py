"""First half of Squeeze: leaves that deviate alike, clustered by the density of their scores."""

from __future__ import annotations

import numpy as np

from .table import Floats, Integers, Leaves, Mask, deviation

NORMAL = 0.4
"""A cluster of a smaller mean deviation score is noise (0.2 of (f - v) / (f + v) in Squeeze)."""


def clusters(leaves: Leaves) -> list[Mask]:
    """Masks of the leaves that deviate alike, one for each cluster.

    Only leaves whose change is beyond the knee of all changes form clusters; other leaves of the
    same range of scores are added afterwards.
    """
    scores = deviation(leaves.real, leaves.forecast)
    change = np.abs(leaves.real - leaves.forecast)
    large = scores[change > knee(change)]
    ranges = [(part.min(), part.max()) for part in parts(large)]
    return [(scores >= low) & (scores <= high) for low, high in ranges]


def knee(values: Floats, points: int = 1000) -> float:
    """Where the cumulated density of the values, as a curve, is farthest above its chord.

    The density is a Gaussian kernel estimate of Scott's bandwidth, computed on a grid. Satopaa et
    al., Finding a "Kneedle" in a Haystack, 2011.
    """
    counts, edges = np.histogram(values, bins=points)
    width = max(float(values.std()) * len(values) ** -0.2 / float(edges[1] - edges[0]), 1e-9)
    reach = np.arange(-points, points + 1)
    kernel = np.exp(-0.5 * (reach / width) ** 2)
    cumulated = np.convolve(counts, kernel)[points : 2 * points].cumsum()
    above = cumulated / cumulated[-1] - np.linspace(0, 1, points)
    return float(edges[above.argmax()])


def parts(scores: Floats) -> list[Floats]:
    """The scores around each peak of their histogram, from valley to valley, without the noise."""
    if not scores.size:
        return []
    density, middles = histogram(scores)
    inner = np.arange(1, len(density) - 1)
    before, here, after = density[inner - 1], density[inner], density[inner + 1]
    peaks = inner[(here > before) & (here > after)]
    valleys = inner[(here <= before) & (here <= after)]
    found = [_around(scores, middles, peak, valleys) for peak in peaks]
    return [part for part in found if part.size and np.abs(part).mean() >= NORMAL]


def histogram(scores: Floats) -> tuple[Floats, Floats]:
    """Smoothed density of the scores and the middles of its bins; empty bins on either side."""
    edges = np.histogram_bin_edges(scores.round(9), bins="auto")
    width = edges[1] - edges[0]
    margin = width * np.arange(1, 6)
    edges = np.concatenate([edges[0] - margin[::-1], edges, edges[-1] + margin])
    density = np.histogram(scores, bins=edges)[0].astype(np.float64)
    window = max(int(np.count_nonzero(density)) // 10, 1)
    smooth = np.convolve(density, np.ones(window) / window, mode="same")
    return smooth, (edges[1:] + edges[:-1]) / 2


def _around(scores: Floats, middles: Floats, peak: int, valleys: Integers) -> Floats:
    below, above = valleys[valleys < peak], valleys[valleys > peak]
    low = middles[below[-1]] if below.size else -np.inf
    high = middles[above[0]] if above.size else np.inf
    return scores[(scores >= low) & (scores <= high)]
