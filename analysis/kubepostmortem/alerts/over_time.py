"""Functions of all samples in a span: averages, extremes, changes, a straight line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kubepostmortem.alerts.lookups import Windows
from kubepostmortem.alerts.series import Floats, Integers, Vector


def _reduced(spans: Windows, ufunc: Any) -> Vector:
    """Reduce each span by a ufunc."""
    there = spans.counts > 0
    values = np.append(spans.samples.values, 0.0)
    end = np.where(there, spans.end, spans.first + 1).clip(max=len(values))
    first = np.where(there, spans.first, 0)
    ends = np.stack([first, np.where(there, end, 1)], axis=-1).reshape(-1)
    result: Floats = np.zeros(there.shape)
    if ends.size:
        result = ufunc.reduceat(values, ends)[::2].reshape(there.shape)
    return Vector(spans.samples.labels, result, there).nameless().where(there)


def sum_over_time(spans: Windows) -> Vector:
    """Sum the samples."""
    return _reduced(spans, np.add)


def max_over_time(spans: Windows) -> Vector:
    """Return the largest sample."""
    return _reduced(spans, np.maximum)


def min_over_time(spans: Windows) -> Vector:
    """Return the smallest sample."""
    return _reduced(spans, np.minimum)


def avg_over_time(spans: Windows) -> Vector:
    """Return the mean of the samples."""
    return _scaled(sum_over_time(spans), spans, lambda total, counts: total / counts)


def count_over_time(spans: Windows) -> Vector:
    """Count the samples."""
    return _scaled(sum_over_time(spans), spans, lambda _, counts: counts.astype(np.float64))


def last_over_time(spans: Windows) -> Vector:
    """Return the newest sample; unlike all others this keeps the name of the metric."""
    there = spans.counts > 0
    values = np.append(spans.samples.values, 0.0)[spans.lasts(there)]
    return Vector(spans.samples.labels, values, there).where(there)


def changes(spans: Windows) -> Vector:
    """Count how often neighbouring samples differ."""
    values = spans.samples.values
    there = spans.counts > 0
    differs = np.append(values[1:] != values[:-1], False)
    before = np.concatenate([[0], np.cumsum(differs)])
    # The step from the last sample of a span to what follows it does not count.
    result = before[spans.lasts(there)] - before[spans.firsts(there)]
    counted = result.astype(np.float64)
    return Vector(spans.samples.labels, counted, there).nameless().where(there)


def predict_linear(spans: Windows, ahead_s: Floats) -> Vector:
    """Return where a line through the samples, by least squares, is so many seconds ahead."""
    there = spans.counts >= 2
    result = np.zeros(there.shape)
    for row, step in np.argwhere(there):
        one = slice(spans.first[row, step], spans.end[row, step])
        seconds = (spans.samples.at_ms[one] - spans.ends_ms[step]) / 1000
        result[row, step] = _on_line(seconds, spans.samples.values[one], float(ahead_s[step]))
    return Vector(spans.samples.labels, result, there).nameless().where(there)


def _on_line(seconds: Floats, values: Floats, ahead_s: float) -> float:
    if np.ptp(values) == 0:
        return float(values[0])
    centred = seconds - seconds.mean()
    slope = float(centred @ (values - values.mean()) / (centred @ centred))
    return float(values.mean()) + slope * (ahead_s - float(seconds.mean()))


def _scaled(vector: Vector, spans: Windows, change: Callable[[Floats, Integers], Floats]) -> Vector:
    counts = spans.counts[spans.counts.any(axis=1)]
    return Vector(vector.labels, change(vector.values, np.maximum(counts, 1)), vector.there)
