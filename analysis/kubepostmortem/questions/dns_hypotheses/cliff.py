"""The cliff of a cache that nothing refreshes: its time to live and its beginning, fitted.

Entries of a cache are of all ages. If nothing can be refreshed from t0 on, the share of them that
is still valid at t is 1 - (t - t0) / T for a time to live T: a straight fall from t0 to t0 + T.
The fall is fitted by least squares, and intervals (95 %) hold what fits not much worse: the
profile likelihood (Venzon and Moolgavkar, 1988) of normal errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from kubepostmortem.questions.dns_hypotheses.fall import (
    Shares,
    Tried,
    everywhere,
    gone_in,
    near,
    steps,
)

Shape = Literal["flat", "step", "cliff", "other", "too few"]

LEAST_BINS, MOST_BINS = 10, 200
LEAST_LOOKUPS = 50
LEAST_FALL = 0.15  # of the share: less is no loss that anybody would call a cliff
CHI_95 = 3.84  # 95 % point of chi squared, one degree of freedom
MISFIT = 0.1  # of the fall: further off for a while than this, and the fall is not straight
WHILE = 4  # a while: the bins of the fall in so many parts
PASSES = 4  # each tries finer values of t0 and T
STEP_BINS = 2.0  # a fall within so many bins is as good as at once


@dataclass(frozen=True)
class Bin:
    """Lookups between two times, in seconds after any fixed moment, and how many found it valid."""

    begins_s: float
    ends_s: float
    lookups: float
    valid: float


@dataclass(frozen=True)
class Cliff:
    """A fall of the valid share. Times in seconds on the clock of the bins; None: no such fall.

    ttl_high_s is None where the fall may not have ended when the bins did.
    """

    shape: Shape
    before: float | None = None
    after: float | None = None
    begins_s: float | None = None
    begins_low_s: float | None = None
    begins_high_s: float | None = None
    ttl_s: float | None = None
    ttl_low_s: float | None = None
    ttl_high_s: float | None = None


def fit(bins: Sequence[Bin]) -> Cliff:
    """Fit a fall to bins in the order of time; `shape` says whether it is one, and of which kind.

    flat: the share does not fall; step: it falls at once; cliff: in a straight line, with a time
    to live; other: in another way, so that no time to live can be told; too few: lookups.
    """
    known = _merged([one for one in bins if one.lookups > 0])
    if len(known) < LEAST_BINS or sum(one.lookups for one in known) < LEAST_LOOKUPS:
        return Cliff("too few")
    data = _shares(known)
    fine = everywhere(data)
    for _ in range(PASSES):
        fine = near(data, fine, _slack(data, fine))
    return _judged(data, fine, steps(data))


def _merged(bins: list[Bin]) -> list[Bin]:
    """Join neighbours where there are more bins than a shape needs."""
    size = -(-len(bins) // MOST_BINS)
    groups = [bins[i : i + size] for i in range(0, len(bins), size)] if size > 1 else []
    return bins if not groups else [_joined(group) for group in groups]


def _joined(group: list[Bin]) -> Bin:
    lookups, valid = sum(one.lookups for one in group), sum(one.valid for one in group)
    return Bin(group[0].begins_s, group[-1].ends_s, lookups, valid)


def _shares(bins: Sequence[Bin]) -> Shares:
    return Shares(
        np.array([one.begins_s for one in bins]),
        np.array([one.ends_s for one in bins]),
        np.array([one.lookups for one in bins]),
        np.array([one.valid / one.lookups for one in bins]),
    )


def _slack(data: Shares, tried: Tried) -> float:
    """How much worse than the best a pair may be to stay within the interval.

    Errors are never taken as smaller than chance makes them by half.
    """
    seen = tried.least / (len(data.shares) - 4)
    return CHI_95 * max(seen, data.noise / 4)


def _judged(data: Shares, fine: Tried, at_once: Tried) -> Cliff:
    slack = _slack(data, fine if fine.least < at_once.least else at_once)
    mean = float(np.average(data.shares, weights=data.weights))
    flat = float(((data.shares - mean) ** 2) @ data.weights)
    step = _found(data, at_once, slack, "step")
    cliff = _found(data, fine, slack, "cliff")
    better = step if at_once.least <= fine.least + slack else cliff
    if _falls(better) < LEAST_FALL or flat - min(fine.least, at_once.least) < 3 * slack:
        return Cliff("flat")
    if not _fits(data, better):
        return Cliff("other")
    if better is step or (cliff.ttl_low_s or 0) <= STEP_BINS * data.width:
        return replace(step, ttl_s=None, ttl_low_s=None, ttl_high_s=None)
    return cliff


def _found(data: Shares, tried: Tried, slack: float, shape: Shape) -> Cliff:
    row, column = tried.best
    rows, columns = tried.within(slack)
    longest = float(tried.spans[columns][-1])
    ended = tried.t0[row] + longest <= data.ends[-1]
    return Cliff(
        shape=shape,
        before=float(tried.before[row, column]),
        after=float(tried.after[row, column]),
        begins_s=float(tried.t0[row]),
        begins_low_s=float(tried.t0[rows][0]),
        begins_high_s=float(tried.t0[rows][-1]),
        ttl_s=float(tried.spans[column]),
        ttl_low_s=float(tried.spans[columns][0]),
        ttl_high_s=longest if ended else None,
    )


def _falls(found: Cliff) -> float:
    return (found.before or 0.0) - (found.after or 0.0)


def _fits(data: Shares, found: Cliff) -> bool:
    """Tell whether the share is nowhere far off for a while, beyond what chance explains."""
    assert found.begins_s is not None and found.ttl_s is not None
    gone = gone_in(data, found.begins_s, found.ttl_s)
    fitted = (found.before or 0.0) - _falls(found) * gone
    off = (data.shares - fitted) * data.weights
    size = max(int(found.ttl_s / data.width / WHILE), 3)
    window = np.ones(min(size, len(off)))
    weights = np.convolve(data.weights, window, "valid")
    mean_off = np.abs(np.convolve(off, window, "valid")) / weights
    variance = np.convolve(fitted * (1 - fitted) * data.weights, window, "valid") / weights
    chance = 4.5 * np.sqrt((variance + 0.002) / weights)
    return bool(np.all(mean_off <= np.maximum(MISFIT * _falls(found), chance)))
