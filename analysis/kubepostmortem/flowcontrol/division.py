"""Seats divided in proportion to what each wishes, as far as the bounds of each let it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

LEAST_TARGET = 0.001  # seats, so that ratios to a target exist


@dataclass(frozen=True, slots=True)
class Wish:
    """What one level is to get: about target, between lower and upper, seats."""

    target: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Division:
    """Seats for each wish, and the multiple of its target that each gets within its bounds."""

    seats: tuple[float, ...]
    multiple: float


def divide(seats: int, wishes: Sequence[Wish]) -> Division | None:
    """Divide all seats, so that each wish gets the same multiple of its target within its bounds.

    None where the bounds leave no way.
    """
    lowest, highest = sum(w.lower for w in wishes), sum(w.upper for w in wishes)
    if not lowest <= seats <= highest:
        return None
    targets = [max(w.target, LEAST_TARGET) for w in wishes]
    multiple = _multiple(seats, wishes, targets) if seats else 0.0
    pairs = zip(wishes, targets, strict=True)
    return Division(tuple(min(w.upper, max(w.lower, multiple * t)) for w, t in pairs), multiple)


def _multiple(seats: int, wishes: Sequence[Wish], targets: Sequence[float]) -> float:
    """Raise the multiple from bound to bound, until what it grants uses up all seats.

    Between two bounds, the wishes that are within theirs grow, each by its target.
    """
    lower = [(w.lower / t, t, 1) for w, t in zip(wishes, targets, strict=True)]
    upper = [(w.upper / t, -t, -1) for w, t in zip(wishes, targets, strict=True)]
    if seats == sum(w.upper for w in wishes):
        return max(bound for bound, _, _ in upper)
    multiple, granted = min(lower)[0], sum(w.lower for w in wishes)
    growth, growing = 0.0, 0
    for bound, target, one in sorted(lower + upper, key=itemgetter(0)):
        if granted >= seats:
            break
        if growing:
            reached = multiple + (seats - granted) / growth
            if reached <= bound:
                return reached
            granted += (bound - multiple) * growth
        multiple = bound
        growth += target
        growing += one
    return multiple
