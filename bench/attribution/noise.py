"""Ups and downs that nothing explains: common modes, drift, bursts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .timeline import Floats, Timeline


def modes(
    groups: npt.NDArray[np.int64],
    timeline: Timeline,
    variation: tuple[float, float],
    rng: np.random.Generator,
) -> Floats:
    """One factor per cell and bin, the same for the cells of a group (a component).

    Its logarithm is autoregressive of order one, with a coefficient of variation between the
    bounds of `variation` and a memory of up to a tenth of the baseline.
    """
    number = int(groups.max()) + 1
    spread = rng.uniform(*variation, number)
    memory = rng.uniform(1.0, 0.1 * (timeline.baseline[1] - timeline.baseline[0]), number)
    level = autoregressive(np.exp(-1.0 / memory), timeline.bins, rng)
    drift = rng.normal(0.0, 0.03, number)[:, None] * np.linspace(-1.0, 1.0, timeline.bins)
    factor = np.exp(spread[:, None] * level - spread[:, None] ** 2 / 2 + drift)
    return factor[groups]


def autoregressive(memory: Floats, bins: int, rng: np.random.Generator) -> Floats:
    """Stationary processes of unit variance, one per coefficient, shape [processes, bins]."""
    steps = rng.standard_normal((len(memory), bins))
    fresh = np.sqrt(1.0 - memory**2)
    level = np.empty_like(steps)
    level[:, 0] = steps[:, 0]
    for i in range(1, bins):
        level[:, i] = memory * level[:, i - 1] + fresh * steps[:, i]
    return level


def bursts(
    usual: Floats,
    cost_s: Floats,
    members: Sequence[npt.NDArray[np.bool_]],
    timeline: Timeline,
    most_s: float,
    rng: np.random.Generator,
) -> Floats:
    """Requests of short bursts, one for each group of cells in `members`.

    What falls into the overload adds at most `most_s` seconds of demand per bin on average, so
    that a burst is never the answer.
    """
    extra = np.zeros_like(usual)
    for cells in members:
        length = int(rng.integers(1, 9))
        start = int(rng.integers(0, timeline.bins - length))
        burst = np.zeros_like(usual)
        burst[cells, start : start + length] = float(rng.uniform(0.5, 6.0))
        burst *= usual
        demand_s = (cost_s @ burst)[slice(*timeline.overload)].mean()
        extra += burst * min(1.0, most_s / max(demand_s, 1e-12))
    return extra


def overdispersed(mean: Floats, rng: np.random.Generator) -> Floats:
    """Negative binomial counts of these means: Poisson, of a mean that itself is gamma."""
    shape = 25.0
    return rng.poisson(mean * rng.standard_gamma(shape, mean.shape) / shape).astype(np.float64)
