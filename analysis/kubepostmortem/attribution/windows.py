"""Baseline and overload windows, found from the load itself.

Method: optimal partitioning (Jackson et al. 2005, IEEE Signal Processing Letters 12(2)) of the
logarithms of two load measures, with absolute deviation from the segment's median as cost.
Why: load changes by factors, so logarithms; short bursts (a rolling update, a cron job) must not
count as a level, so medians; an exact search is affordable, since the load has a few hundred bins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import ceil

import numpy as np

from kubepostmortem.attribution.axis import Series

WIDTHS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)
MOST_BINS = 240
SHORTEST_SEGMENT = 0.05  # of all bins: what lasts less is a burst, not a level
SHORTEST_S = 60.0  # what lasts a minute is a level, however long the log
PENALTY = 3.0
ONSET_SHARE = 1 / 3  # of the way, on the log scale, from the quiet level to the peak
LEAST_RISE = np.log(1.3)
ALIKE = np.log(2)  # levels that are nearer to each other may belong to one baseline


@dataclass(frozen=True, slots=True)
class Segment:
    """Bins [begins, ends) of one level; levels are medians of log load per measure."""

    begins: int
    ends: int
    levels: tuple[float, ...]

    @property
    def bins(self) -> int:
        """Length in bins."""
        return self.ends - self.begins


@dataclass(frozen=True, slots=True)
class Found:
    """Bins of the two windows, half-open, and the first measure's growth to its highest level."""

    baseline: tuple[int, int]
    overload: tuple[int, int]
    factor: float


def bin_width_s(span_s: float) -> int:
    """Return the finest round width, in seconds, that divides the span into at most 240 bins."""
    longest = WIDTHS_S[-1] * ceil(span_s / WIDTHS_S[-1] / MOST_BINS)
    return next((width for width in WIDTHS_S if span_s / width <= MOST_BINS), longest)


def segments(load: Series, width_s: float = 1.0) -> list[Segment]:
    """Split load (measures x bins of width_s seconds, not negative) into levels.

    Returns segments in order, which cover every bin once.
    """
    logs = _logs(load)
    costs = _segment_costs(logs / _noise(logs)[:, None])
    shortest = max(1, round(min(SHORTEST_SEGMENT * load.shape[1], SHORTEST_S / width_s)))
    cuts = _best_cuts(costs, shortest, PENALTY * np.log(load.shape[1]))
    return [
        Segment(a, b, tuple(float(m) for m in np.median(logs[:, a:b], axis=1)))
        for a, b in pairwise(cuts)
    ]


def find_windows(load: Series, width_s: float = 1.0) -> Found | None:
    """Find the baseline and the overload in load; the first measure decides.

    load: measures x bins of width_s seconds, not negative.

    The overload is the run of high segments around the one with the largest excess that has a
    quieter segment before it: load that is high from the first bin on (a start-up storm) has no
    baseline to compare with. Returns None where nothing rises.
    """
    levels = segments(load, width_s)
    quietest = [min(s.levels[0] for s in levels[: peak + 1]) for peak in range(len(levels))]
    peak = max(range(len(levels)), key=lambda i: _excess(levels[i], quietest[i]))
    if levels[peak].levels[0] - quietest[peak] < LEAST_RISE:
        return None
    return _around(levels, peak, quietest[peak])


def _excess(segment: Segment, quiet: float) -> float:
    return segment.bins * float(np.exp(segment.levels[0]) - np.exp(quiet))


def _around(levels: list[Segment], peak: int, quiet: float) -> Found:
    top = levels[peak].levels[0]
    threshold = quiet + ONSET_SHARE * (top - quiet)
    onset = _foot(levels, _walk(levels, peak, -1, lambda s: s.levels[0] > threshold))
    over = _walk(levels, peak, +1, lambda s: s.levels[0] > threshold)
    calm = levels[onset - 1]
    return Found(
        (levels[_first_calm(levels, onset - 1, threshold)].begins, calm.ends),
        (levels[onset].begins, levels[over].ends),
        float(np.exp(top - calm.levels[0])),
    )


def _foot(levels: list[Segment], onset: int) -> int:
    """Go down a ramp: steps that last less than half as long as the calm below are no baseline."""
    while onset >= 2 and _is_step(levels[onset - 2], levels[onset - 1]):
        onset -= 1
    return onset


def _is_step(calm: Segment, step: Segment) -> bool:
    return step.levels[0] - calm.levels[0] > ALIKE and step.bins < calm.bins / 2


def _first_calm(levels: list[Segment], last: int, threshold: float) -> int:
    """Extend the baseline to the left, over bursts that are shorter than the calm beyond them."""
    calm = levels[last]
    first = _walk(levels, last, -1, lambda s: _as_calm(s, calm, threshold))
    beyond = first - 2
    if beyond < 0 or levels[first - 1].bins >= levels[beyond].bins:
        return first
    alike = _as_calm(levels[beyond], calm, threshold)
    return _first_calm(levels, beyond, threshold) if alike else first


def _walk(levels: list[Segment], start: int, step: int, keep: Callable[[Segment], bool]) -> int:
    """Go from start in one direction while segments are to be kept; return the last one."""
    index = start
    while 0 <= index + step < len(levels) and keep(levels[index + step]):
        index += step
    return index


def _as_calm(segment: Segment, calm: Segment, threshold: float) -> bool:
    """Tell whether a segment belongs to the same baseline: quiet, and alike in every measure."""
    apart = max(abs(a - b) for a, b in zip(segment.levels, calm.levels, strict=True))
    return segment.levels[0] <= threshold and apart < ALIKE


def _logs(load: Series) -> Series:
    """Logarithms; an empty bin counts as a hundredth of the usual load, not as minus infinity."""
    usual = np.array([np.median(row[row > 0]) if (row > 0).any() else 1.0 for row in load])
    return np.asarray(np.log(np.maximum(load, usual[:, None] / 100)))


def _noise(logs: Series) -> Series:
    """Spread of each measure from bin to bin, robust against the levels' jumps."""
    steps = np.abs(np.diff(logs, axis=1))
    return np.maximum(np.median(steps, axis=1) / 0.954, 0.05)  # 0.954: median |N(0, 2)|


def _segment_costs(scaled: Series) -> Series:
    """Return cost[a, b]: deviation from the median of bins [a, b), summed over measures."""
    bins = scaled.shape[1]
    costs = np.zeros((bins + 1, bins + 1))
    for length in range(1, bins + 1):
        spans = np.lib.stride_tricks.sliding_window_view(scaled, length, axis=1)
        deviation = np.abs(spans - np.median(spans, axis=2, keepdims=True)).sum(axis=(0, 2))
        begins = np.arange(bins - length + 1)
        costs[begins, begins + length] = deviation
    return costs


def _best_cuts(costs: Series, shortest: int, penalty: float) -> list[int]:
    """Return the bounds of the segments with the least total of costs and penalties."""
    bins = costs.shape[0] - 1
    total = np.full(bins + 1, np.inf)
    total[0] = -penalty
    previous = np.zeros(bins + 1, dtype=int)
    for end in range(min(shortest, bins), bins + 1):
        begins = np.arange(0, max(end - shortest, 0) + 1)
        candidates = total[begins] + costs[begins, end] + penalty
        previous[end] = begins[candidates.argmin()]
        total[end] = candidates.min()
    cuts = [bins]
    while cuts[-1] > 0:
        cuts.append(int(previous[cuts[-1]]))
    return cuts[::-1]
