"""Adtributor (Bhagwan et al., Adtributor: Revenue Debugging in Advertising Systems, NSDI 2014)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .table import Cuboid, Element, Floats, Leaves, divided, group


@dataclass(frozen=True)
class Candidate:
    """Values of one dimension that explain the change, and how surprising they are."""

    elements: list[Element]
    surprise: float


def adtributor(leaves: Leaves, explained: float = 0.67, each: float = 0.10) -> list[Element]:
    """Values of the one dimension that explains the change best.

    A value takes part if it explains more than `each` of the change (T_EEP of the paper); a
    dimension is a candidate if its values explain more than `explained` together (T_EP). The paper
    shows the three most surprising dimensions as alternatives; this answer is the first of them.
    """
    change = leaves.real.sum() - leaves.forecast.sum()
    if not change:
        return []
    cuboids = [group(leaves, [dim]) for dim in range(len(leaves.dims))]
    candidates = [_candidate(leaves, cuboid, explained, each) for cuboid in cuboids]
    return max(candidates, key=lambda candidate: candidate.surprise).elements


def _candidate(leaves: Leaves, cuboid: Cuboid, explained: float, each: float) -> Candidate:
    real, forecast = cuboid.sums(leaves.real), cuboid.sums(leaves.forecast)
    power = (real - forecast) / (real.sum() - forecast.sum())
    surprise = surprises(real, forecast)
    by_surprise = np.argsort(-surprise, kind="stable")
    eligible = by_surprise[power[by_surprise] > each]
    enough = np.flatnonzero(power[eligible].cumsum() > explained)
    if not enough.size:
        return Candidate([], 0)
    chosen = eligible[: enough[0] + 1]
    return Candidate([cuboid.element(int(value)) for value in chosen], surprise[chosen].sum())


def surprises(real: Floats, forecast: Floats) -> Floats:
    """What each value adds to the Jensen-Shannon divergence of the two distributions."""
    expected, found = (divided(sums, np.full(sums.shape, sums.sum())) for sums in (forecast, real))
    both = expected + found
    return 0.5 * (_information(expected, both) + _information(found, both))


def _information(part: Floats, both: Floats) -> Floats:
    ratio = divided(2 * part, both)
    return part * np.log(ratio, out=np.zeros(part.shape), where=ratio > 0)
