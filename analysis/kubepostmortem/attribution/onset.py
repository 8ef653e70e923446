"""Onset: when a client's load left its baseline.

Method: every bin either stands out of the baseline or does not; the onset is the most likely change
point of the rate at which bins stand out. Why: a burst in the baseline is over again, and a client
that asks every minute leaves most bins empty; neither hides when it began to stand out for good.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kubepostmortem.attribution.axis import Series

SIGMAS = 4.0
REFUSED = 1.92  # half of the 95 % quantile of chi squared with one degree of freedom
LEAST_SHARE = 0.01  # of the rise; a first wave may hit few nodes, and retries multiply the rest


@dataclass(frozen=True, slots=True)
class Onset:
    """The bin in which load began to stand out, and the bins that are about as likely."""

    bin: int
    earliest: int
    latest: int


def onset(counts: Series, overload: int) -> Onset | None:
    """Return the bin from which on a client's load stands out of its baseline, or None.

    counts: requests per interval, from the baseline's beginning to the overload's end; overload:
    the bin at which the overload begins, at least 1. A bin stands out when it is above the
    baseline's median by four standard deviations and by a hundredth of the rise. A bin of the
    baseline can be the onset: windows are cut for the sum of all clients, and the culprit comes
    first. The interval holds what a likelihood ratio test at 95 % does not refuse.
    """
    quiet, loud = counts[:overload], counts[overload:]
    usual = float(np.median(quiet))
    rise = float(loud.mean()) - usual
    if rise <= 0:
        return None
    high = counts > usual + max(SIGMAS * _spread(quiet, usual), LEAST_SHARE * rise)
    before, after = _share(high[:overload]), _share(high[overload:])
    if after <= before:
        return None
    after = (before + after) / 2  # a first wave stands out less often than what follows
    gain, loss = np.log(after / before), np.log((1 - after) / (1 - before))
    from_here_on = np.cumsum(np.where(high, gain, loss)[::-1])[::-1]
    first = int(from_here_on.argmax())
    likely = np.flatnonzero(high & (from_here_on >= from_here_on[first] - REFUSED))
    return Onset(first, int(likely[0]), int(likely[-1])) if high[first] else None


def _spread(quiet: Series, usual: float) -> float:
    """Standard deviation of the baseline, robust against bursts, at least that of pure chance."""
    return max(1.4826 * float(np.median(np.abs(quiet - usual))), float(np.sqrt(usual)))


def _share(high: npt.NDArray[np.bool_]) -> float:
    """Part of the bins that stand out, kept from being 0 or 1 by half a bin of either kind."""
    return float((high.sum() + 0.5) / (high.size + 1))
