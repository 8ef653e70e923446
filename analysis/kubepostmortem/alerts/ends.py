"""Marks of ended series in exports that lost them.

query_range leaves a moment out where a series had ended or had not been scraped. Read as samples,
such a gap would be bridged for five minutes; a mark after the last sample says that it ended.
"""

from __future__ import annotations

import numpy as np

from kubepostmortem.alerts.series import Integers, Samples, Truths

LATE = 1.5  # steps: what comes later than this had a moment left out


def with_ends(samples: Samples, of_queries: Truths) -> Samples:
    """Mark the ends of series that come from queries, before each gap and at the last sample.

    of_queries: per series. The step is that which is most frequent in each series; one that lasts
    to the end of the export is not marked.
    """
    if not len(samples.at_ms):
        return samples
    last = int(samples.at_ms.max())
    stamps, values, begins = [], [], [0]
    for place, marked in enumerate(of_queries):
        own = slice(samples.begins[place], samples.begins[place + 1])
        ends = _ends(samples.at_ms[own], last) if marked else np.empty(0, np.int64)
        at_ms = np.concatenate([samples.at_ms[own], ends])
        order = np.argsort(at_ms, kind="stable")
        stamps.append(at_ms[order])
        values.append(np.concatenate([samples.values[own], np.full(len(ends), np.nan)])[order])
        begins.append(begins[-1] + len(at_ms))
    return Samples(
        samples.labels,
        np.concatenate(stamps),
        np.concatenate(values),
        np.array(begins, dtype=np.int64),
    )


def _ends(at_ms: Integers, last: int) -> Integers:
    """Return when marks are due: a step after samples that none follows in time."""
    gaps = np.diff(at_ms)
    if not len(gaps):
        return np.empty(0, np.int64)
    widths, counts = np.unique(gaps, return_counts=True)
    step = int(widths[counts.argmax()])
    follows = np.append(gaps, max(last - int(at_ms[-1]), 0))
    return at_ms[follows > LATE * step] + step
