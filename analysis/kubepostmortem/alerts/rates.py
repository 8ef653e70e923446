"""rate, increase and delta, extrapolated to the ends of the span as Prometheus does.

A counter that falls was reset and counts from zero. The gain between the first and the last sample
is stretched to an end of the span that is nearer than 1.1 mean distances between samples, else by
half of such a distance; of a counter never to before it would have been zero.
"""

from __future__ import annotations

import numpy as np

from kubepostmortem.alerts.lookups import Windows
from kubepostmortem.alerts.series import Floats, Integers, Truths, Vector

NEAR = 1.1  # mean distances between samples


def rate(spans: Windows) -> Vector:
    """Return gains of counters per second."""
    gained = increase(spans)
    seconds = (spans.ends_ms - spans.begins_ms) / 1000
    return Vector(gained.labels, gained.values / seconds, gained.there)


def increase(spans: Windows) -> Vector:
    """Return gains of counters over the span."""
    return _extrapolated(spans, is_counter=True)


def delta(spans: Windows) -> Vector:
    """Return differences of gauges over the span."""
    return _extrapolated(spans, is_counter=False)


def _extrapolated(spans: Windows, *, is_counter: bool) -> Vector:
    there: Truths = spans.counts >= 2
    first, last = spans.firsts(there), spans.lasts(there)
    values, at_ms = _padded(spans)
    gain = values[last] - values[first]
    if is_counter:
        gain = gain + _lost_to_resets(spans, gain.shape)
    sampled_s = np.where(there, (at_ms[last] - at_ms[first]) / 1000, 1.0)
    stretched = _stretched(spans, (first, last), there, gain, is_counter)
    result = gain * (stretched / sampled_s)
    return Vector(spans.samples.labels, result, there).nameless().where(there)


def _padded(spans: Windows) -> tuple[Floats, Integers]:
    """Return values and times with one more, so that a place 0 exists."""
    samples = spans.samples
    return np.append(samples.values, 0.0), np.append(samples.at_ms, 0)


def _lost_to_resets(spans: Windows, shape: tuple[int, ...]) -> Floats:
    """Sum what counters had reached when they were reset; resets are few."""
    lost = np.zeros(shape)
    values, begins = spans.samples.values, spans.samples.begins
    fallen = np.flatnonzero(values[1:] < values[:-1]) + 1
    series = np.searchsorted(begins, fallen, side="right") - 1
    for place, row in zip(fallen, series, strict=True):
        if place > begins[row]:
            within = (spans.first[row] < place) & (place < spans.end[row])
            lost[row, within] += values[place - 1]
    return lost


def _stretched(
    spans: Windows,
    ends: tuple[Integers, Integers],
    there: Truths,
    gain: Floats,
    is_counter: bool,
) -> Floats:
    """Return the seconds that the gain is stretched to."""
    first, last = ends
    values, at_ms = _padded(spans)
    sampled = np.where(there, (at_ms[last] - at_ms[first]) / 1000, 1.0)
    mean = sampled / np.maximum(spans.counts - 1, 1)
    before = (at_ms[first] - spans.begins_ms) / 1000
    after = (spans.ends_ms - at_ms[last]) / 1000
    if is_counter:
        rises = there & (gain > 0) & (values[first] >= 0)
        to_zero = sampled * (values[first] / np.where(rises, gain, 1.0))
        before = np.where(rises & (to_zero < before), to_zero, before)
    stretched: Floats = sampled
    for distance in (before, after):
        stretched = stretched + np.where(distance < mean * NEAR, distance, mean / 2)
    return stretched
