"""What a selector gives at each moment: the newest sample, or the span of samples before it.

As in Prometheus 2 a span includes both of its ends; Prometheus 3 leaves the earlier one out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kubepostmortem.alerts.series import Floats, Integers, Samples, Truths, Vector

LOOKBACK_MS = 300_000  # how old the newest sample may be, unless the series was marked as ended


@dataclass(frozen=True, eq=False)
class Windows:
    """Spans of samples, one per series and moment.

    first, end: places in the arrays of samples, the end exclusive; shape: series, moments;
    begins_ms, ends_ms: of the span at each moment.
    """

    samples: Samples
    first: Integers
    end: Integers
    begins_ms: Integers
    ends_ms: Integers

    @property
    def counts(self) -> Integers:
        """How many samples each span holds."""
        return self.end - self.first

    def firsts(self, there: Truths) -> Integers:
        """Return places of first samples; 0 where there is none."""
        return np.where(there, self.first, 0)

    def lasts(self, there: Truths) -> Integers:
        """Return places of last samples; 0 where there is none."""
        return np.where(there, self.end - 1, 0)


def newest(samples: Samples, moments_ms: Integers) -> Vector:
    """Return the newest sample of each series at each moment, where it is not too old."""
    if not len(samples.at_ms):
        return Vector.empty(len(moments_ms))
    place = samples.count_until(moments_ms, inclusive=True) - 1
    known = place >= samples.begins[:-1, None]
    place = np.where(known, place, 0)
    values: Floats = samples.values[place]
    fresh = moments_ms[None, :] - samples.at_ms[place] <= LOOKBACK_MS
    there = known & fresh & ~np.isnan(values)
    return Vector(samples.labels, values, there).where(there)


def windows(samples: Samples, moments_ms: Integers, range_ms: int) -> Windows:
    """Return the spans of this length before the moments."""
    real = samples.without_ends()
    begins_ms = moments_ms - range_ms
    return Windows(
        real,
        real.count_until(begins_ms, inclusive=False),
        real.count_until(moments_ms, inclusive=True),
        begins_ms,
        moments_ms,
    )
