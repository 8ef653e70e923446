"""When things happen: bins, windows, the onset, and the course of a load after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .mechanism import Course

Floats = npt.NDArray[np.float64]
WIDTHS_S = (2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0)


@dataclass(frozen=True)
class Timeline:
    """The bins of one cluster; windows are half-open pairs of bins, the onset a bin."""

    bins: int
    width_s: float
    baseline: tuple[int, int]
    overload: tuple[int, int]
    onset: float

    def within(self, window: tuple[int, int]) -> npt.NDArray[np.bool_]:
        """Which bins lie in a window."""
        bins = np.arange(self.bins)
        return (bins >= window[0]) & (bins < window[1])

    @property
    def overload_bins(self) -> int:
        """The length of the overload."""
        return self.overload[1] - self.overload[0]


def draw(rng: np.random.Generator) -> Timeline:
    """Seconds or minutes to a bin; the onset falls some bins before or after the overload's."""
    width = float(rng.choice(WIDTHS_S))
    before = 50 if rng.random() < 0.1 else int(rng.integers(60, 181))
    during = int(rng.integers(20, 121))
    lead, gap, tail = (int(rng.integers(0, most)) for most in (8, 9, 11))
    first = lead + before + gap
    slack = min(6.0, 0.12 * during)
    onset = first + float(rng.uniform(-slack, slack))
    return Timeline(
        first + during + tail, width, (lead, lead + before), (first, first + during), onset
    )


def course(timeline: Timeline, kind: Course, waves: bool, rng: np.random.Generator) -> Floats:
    """The load of a cause per bin: zero before the onset, one on average in the overload."""
    since = np.arange(timeline.bins, dtype=np.float64) + 1.0 - timeline.onset
    if waves:
        steps = np.sort(rng.uniform(0.1, 0.6, 2)) * timeline.overload_bins
        load = _steps(since, (0.0, *steps), (0.1, 0.35, 0.55))
    else:
        load = _steps(since / float(rng.uniform(1.0, 4.0)), (0.0,), (1.0,))
    load = load * _shape(np.maximum(since, 0.0), kind, timeline.overload_bins, rng)
    return load / float(load[slice(*timeline.overload)].mean())


def shifted(load: Floats, bins: float) -> Floats:
    """The same load so many bins later."""
    positions = np.arange(load.shape[-1])
    return np.asarray(np.interp(positions - bins, positions, load, left=0.0))


def _steps(since: Floats, starts: Sequence[float], parts: Sequence[float]) -> Floats:
    load = np.zeros_like(since)
    for start, part in zip(starts, parts, strict=True):
        load += part * np.clip(since - start, 0.0, 1.0)
    return load


def _shape(since: Floats, kind: Course, length: int, rng: np.random.Generator) -> Floats:
    if kind == "decaying":
        return 0.05 + np.exp(-since / (length * float(rng.uniform(0.3, 1.0))))
    if kind == "growing":
        return 0.2 + since / length
    if kind == "pulsing":
        period = float(rng.uniform(4.0, max(5.0, length / 4)))
        return np.where(since % period < period * float(rng.uniform(0.3, 0.6)), 1.0, 0.05)
    return np.ones_like(since)
