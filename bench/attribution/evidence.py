"""Evidence of one leaf that it changed by a given part, against noise."""

from __future__ import annotations

from itertools import product
from math import pi, sqrt

import numpy as np

from .rivals.table import Floats, Mask

PARTS = np.concatenate([-np.arange(2, 21), np.arange(2, 21)]) / 20
"""Parts of a leaf that may be lost (gained, where negative); less is taken for noise."""

SPREADS = (0.035, 0.1)
"""Standard deviations of the lost part within an element."""

MODELS = tuple(product(PARTS.tolist(), SPREADS))
"""Mean and standard deviation of the lost part, one pair for each model of an element."""

OUTSIDE, AS_FORECAST = 0.02, 0.01
"""Weights of leaves of an element that changed by any part, and that came as forecast."""

LEAST, MOST = -12.0, 20.0
"""Nats that one leaf may speak against and for an element; one leaf alone may be an element."""

NORMAL_UP_TO = 4.0
"""Standard deviations from which the tails of the noise are exponential."""

LEAST_SCALE = 0.005
VOLUMES = 8
"""Classes of volume, each with a noise of its own."""


def scales(volume: Floats, lost: Floats, normal: Mask) -> Floats:
    """Standard deviation of the noise of each leaf: that of normal leaves of like volume."""
    edges = np.quantile(volume, np.linspace(0, 1, VOLUMES + 1)[1:-1])
    bins = np.searchsorted(edges, volume)
    size = np.abs(lost)
    found = [
        np.median(size[normal & (bins == part)]) if (normal & (bins == part)).any() else 0.0
        for part in range(VOLUMES)
    ]
    return np.maximum(np.array(found) / 0.6745, LEAST_SCALE)[bins]


def evidence(lost: Floats, scale: Floats) -> Floats:
    """Log-likelihood ratios [n, models] of the lost part of each leaf.

    Noise is normal with exponential tails (Huber, Robust estimation of a location parameter, 1964).
    A leaf that changed by another part than the model's is no evidence for it.
    """
    z = np.abs(lost) / scale
    tail = np.where(z < NORMAL_UP_TO, z**2 / 2, NORMAL_UP_TO * (z - NORMAL_UP_TO / 2))
    as_forecast = -tail - np.log(scale * sqrt(2 * pi))
    aside = OUTSIDE / 2 + AS_FORECAST * np.exp(as_forecast)
    columns = []
    for part, spread in MODELS:
        inside = (1 - OUTSIDE - AS_FORECAST) * _normal(lost, part, spread)
        ratio = np.log(inside + aside) - as_forecast
        columns.append(np.where(inside > aside, ratio, np.minimum(ratio, 0)))
    ratios: Floats = np.stack(columns, axis=1)
    return ratios.clip(LEAST, MOST)


def _normal(values: Floats, mean: float, spread: float) -> Floats:
    density: Floats = np.exp(-(((values - mean) / spread) ** 2) / 2) / (spread * sqrt(2 * pi))
    return density
