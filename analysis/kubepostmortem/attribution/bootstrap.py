"""Block bootstrap over time: how far chance could have moved a growth.

Method: circular moving blocks within each window (Politis and Romano 1992), since load is alike
from one bin to the next. A window holds few blocks, so the intervals would be too narrow; they are
widened as far as Student's t is wider than the normal distribution (Hesterberg 2015, The American
Statistician 69(4)).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kubepostmortem.attribution.axis import Axis, Numbers, Series
from kubepostmortem.attribution.student import NORMAL, student_t

Draws = npt.NDArray[np.float64]  # draws x bins

DRAWS = 400
SEED = 20241211  # the same evidence gives the same intervals
BLOCKS = 10  # per window: long enough to keep what neighbouring bins share


def resampled_weights(axis: Axis) -> Draws:
    """Return weights of the growth as axis.growth_weights does, for windows drawn anew."""
    random = np.random.default_rng(SEED)
    weights = np.zeros((DRAWS, axis.bins))
    for bins, sign in axis.windows():
        if bins.size:
            times = _times_drawn(bins.size, random)
            seconds = times @ axis.width_s[bins]
            weights[:, bins] = sign * times / seconds[:, None]
    return weights


def _times_drawn(size: int, random: np.random.Generator) -> Draws:
    """Return how often each bin of a window is drawn: whole blocks, wrapped at the end."""
    length = max(1, size // BLOCKS)
    starts = random.integers(0, size, (DRAWS, -(-size // length)))
    drawn = (starts[:, :, None] + np.arange(length)).reshape(DRAWS, -1)[:, :size] % size
    times = np.zeros((DRAWS, size))
    np.add.at(times, (np.arange(DRAWS)[:, None], drawn), 1.0)
    return times


def interval(growth: float, draws: Series, blocks: int) -> tuple[float, float]:
    """Return the 95 % interval of a growth from its draws; blocks: of the shorter window, >= 2."""
    low, high = np.quantile(draws, (0.025, 0.975))
    wider = student_t(blocks - 1) / NORMAL * np.sqrt(blocks / (blocks - 1))
    return float(growth + wider * (low - growth)), float(growth + wider * (high - growth))


def blocks_of(axis: Axis) -> int:
    """Return how many blocks the shortest window holds, at least 2."""
    sizes = [_blocks(bins) for bins, _ in axis.windows() if bins.size]
    return max(2, min(sizes, default=2))


def _blocks(bins: Numbers) -> int:
    return bins.size // max(1, bins.size // BLOCKS)
