"""Least squares for a share that falls in a straight line from t0 on, within a time T."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
FINE = 60  # values of t0 and of T that are tried at a time
BEYOND = 5  # values around those that were good enough
SMOOTH = 9  # bins
PLACES = 8  # within a bin, where a step may be


@dataclass(frozen=True, eq=False)
class Shares:
    """Bins of time: their ends in seconds, what each weighs, and the share in it."""

    begins: Numbers
    ends: Numbers
    weights: Numbers
    shares: Numbers

    @property
    def width(self) -> float:
        """How wide a bin is, seconds."""
        return float(np.median(self.ends - self.begins))

    @property
    def noise(self) -> float:
        """Mean variance that chance alone gives to one lookup, around shares of several bins."""
        window = np.ones(min(SMOOTH, len(self.shares)))
        lookups = np.convolve(self.weights, window, "valid")
        share = np.convolve(self.weights * self.shares, window, "valid") / lookups
        return float(np.average(share * (1 - share), weights=lookups)) + 1e-6


@dataclass(frozen=True, eq=False)
class Tried:
    """Sums of squares, and the shares before and after the fall, for pairs of t0 and T."""

    t0: Numbers
    spans: Numbers
    squares: Numbers
    before: Numbers
    after: Numbers

    @property
    def best(self) -> tuple[int, int]:
        """Indices of the best pair."""
        row, column = divmod(int(np.argmin(self.squares)), self.squares.shape[1])
        return row, column

    @property
    def least(self) -> float:
        """Sum of squares of the best pair."""
        return float(self.squares.min())

    def within(self, slack: float) -> tuple[slice, slice]:
        """Indices between the outermost pairs that are at most so much worse than the best one."""
        rows, columns = np.nonzero(self.squares <= self.least + slack)
        return slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)


def everywhere(data: Shares) -> Tried:
    """Try falls that begin at any time, from much quicker than a bin to twice the whole time."""
    whole = float(data.ends[-1] - data.begins[0])
    t0 = np.linspace(data.begins[0], data.ends[-1], FINE)
    return tried(data, t0, np.geomspace(data.width, 2 * whole, FINE))


def near(data: Shares, rough: Tried, slack: float) -> Tried:
    """Try finer values between the outermost ones that are good enough, and a bit beyond.

    t0 and T go together, so a best pair between coarse values may be some of them away.
    """
    rows, columns = rough.within(slack)
    t0 = rough.t0[max(rows.start - BEYOND, 0) : rows.stop + BEYOND]
    spans = rough.spans[max(columns.start - BEYOND, 0) : columns.stop + BEYOND]
    return tried(data, np.linspace(t0[0], t0[-1], FINE), np.geomspace(spans[0], spans[-1], FINE))


def steps(data: Shares) -> Tried:
    """Try falls at once, at any edge of a bin and at places within it."""
    parts = np.arange(PLACES) / PLACES
    t0 = (data.begins[:, None] + parts * (data.ends - data.begins)[:, None]).ravel()
    return tried(data, t0, np.array([data.width / 100]))


def tried(data: Shares, t0: Numbers, spans: Numbers) -> Tried:
    """Fit the shares before and after the fall for every pair; a share only ever falls."""
    gone = gone_in(data, t0[:, None, None], spans[None, :, None])
    total = data.weights.sum()
    mean = float(data.shares @ data.weights / total)
    mean_gone = gone @ data.weights / total
    spread = (gone**2) @ data.weights / total - mean_gone**2
    together = (gone * data.shares) @ data.weights / total - mean_gone * mean
    fall = np.clip(-together / np.maximum(spread, 1e-12), 0.0, 1.0)
    before = np.clip(mean + fall * mean_gone, 0.0, 1.0)
    fall = np.minimum(fall, before)
    off = data.shares - (before[..., None] - fall[..., None] * gone)
    return Tried(t0, spans, (off**2) @ data.weights, before, before - fall)


def gone_in(data: Shares, t0: Numbers | float, span: Numbers | float) -> Numbers:
    """Average over each bin the part of the fall that has passed: bins may be wide against it."""
    passed = _area(data.ends, t0, span) - _area(data.begins, t0, span)
    gone: Numbers = passed / (data.ends - data.begins)
    return gone


def _area(until: Numbers, t0: Numbers | float, span: Numbers | float) -> Numbers:
    passed = (until - t0) / span
    area: Numbers = span * (np.clip(passed, 0, 1) ** 2 / 2 + np.maximum(passed - 1, 0))
    return area
