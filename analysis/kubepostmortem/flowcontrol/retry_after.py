"""Retry-After: how many seconds a level tells the clients to wait that it turns away."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

LONGEST_S = 32
SECOND_NS = 1_000_000_000


def retry_after_s(dropped_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the Retry-After of requests that one priority level dropped, seconds, in their order.

    dropped_ns: when, ascending, counted from a whole second. Kubernetes 1.28 and later: it doubles
    while many are dropped and shrinks by one while few are. Earlier releases always say 1 s.
    """
    seconds, first, counts = np.unique(
        dropped_ns // SECOND_NS, return_index=True, return_counts=True
    )
    if np.any(np.diff(first) <= 0):
        raise ValueError("drops are not in order")
    told = _per_second(seconds.tolist(), counts.tolist())
    return np.repeat(np.array(told, dtype=np.int64), counts)


def _per_second(seconds: list[int], counts: list[int]) -> list[int]:
    """Return what is told in each second; the drops of the seconds before decide."""
    told: list[int] = []
    wait, raised = 1, -LONGEST_S
    for place, second in enumerate(seconds):
        first = bisect_left(seconds, second - wait, hi=place)
        dropped = sum(counts[first:place])
        if dropped >= 3 * wait and second - raised >= wait:
            wait, raised = min(2 * wait, LONGEST_S), second
        elif dropped < wait:
            wait = max(1, wait - 1)
        told.append(wait)
    return told
