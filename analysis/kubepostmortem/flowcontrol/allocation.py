"""Seats of the priority levels: nominal limits, and how levels borrow from each other.

Every 10 s the API server divides the sum of the nominal limits anew, after what each level asked
for since; KEP-1040, "Dispatching" and "Borrowing", has the rules.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kubepostmortem.flowcontrol.division import Wish, divide
from kubepostmortem.flowcontrol.objects import PriorityLevel

PERIOD_NS = 10_000_000_000  # between two adjustments
SMOOTHING = 0.977  # of the smoothed demand that a period of less demand leaves
NEWEST = 0.023  # of the demand of such a period that counts
MOST_OF_LEVEL = 0.15  # of a level's nominal limit that one request may take


@dataclass(frozen=True, slots=True)
class Limits:
    """Seats of a priority level: its nominal limit, and how far lending and borrowing move it.

    widest_request: most seats of one request; 0: the level sets no bound.
    """

    nominal: int
    lower: int
    upper: int
    widest_request: int


@dataclass(frozen=True, slots=True)
class Demand:
    """Seats that requests of a level used or waited for, over a period of adjustment."""

    high_water_mark: int = 0
    average: float = 0.0
    deviation: float = 0.0
    smoothed: float = 0.0


def nominal_limits(server_limit: int, levels: Iterable[PriorityLevel]) -> dict[str, Limits]:
    """Divide the seats of a server by shares among all levels, also those that only drain."""
    known = tuple(levels)
    shares = sum(level.shares for level in known)
    return {level.name: _limits(server_limit, level, shares) for level in known}


def observed(
    before: Demand, high_water_mark: int, seat_s: float, squared_seat_s: float, elapsed_s: float
) -> Demand:
    """Return the demand of a period from its integrals over time.

    seat_s: of the demand in seats; squared_seat_s: of its square; before: of the period before.
    A period of no length tells the high-water mark alone.
    """
    if elapsed_s <= 0:
        return Demand(high_water_mark, before.average, before.deviation, before.smoothed)
    average = seat_s / elapsed_s
    deviation = math.sqrt(max(0.0, squared_seat_s / elapsed_s - average * average))
    envelope = average + deviation
    kept = SMOOTHING * before.smoothed + NEWEST * envelope
    return Demand(high_water_mark, average, deviation, max(envelope, kept))


def adjusted(
    levels: Iterable[PriorityLevel],
    limits: Mapping[str, Limits],
    demands: Mapping[str, Demand],
    current: Mapping[str, int],
) -> dict[str, int]:
    """Return the current limit of each level, seats, after an adjustment.

    current: the limits before it, which stay where no division fits. Exempt levels get what they
    asked for; that leaves others less only where it is more than what all can spare.
    """
    known = tuple(levels)
    exempt = {
        level.name: max(limits[level.name].lower, demands[level.name].high_water_mark)
        for level in known
        if level.exempt
    }
    limited = [level.name for level in known if not level.exempt]
    whole = sum(limits[level.name].nominal for level in known)
    wishes = {name: _wish(limits[name], demands[name]) for name in limited}
    lowers = {name: limits[name].lower for name in limited}
    shared = _shared(whole, whole - sum(exempt.values()), lowers, wishes, current)
    return exempt | {name: _rounded(seats) for name, seats in shared.items()}


def _limits(server_limit: int, level: PriorityLevel, shares: int) -> Limits:
    nominal = math.ceil(server_limit * level.shares / shares) if shares else 0
    lendable = _rounded(nominal * level.lendable_percent / 100)
    percent = level.borrowing_limit_percent
    borrowed = server_limit if percent is None else _rounded(nominal * percent / 100)
    return Limits(nominal, nominal - lendable, nominal + borrowed, _widest(level, nominal))


def _widest(level: PriorityLevel, nominal: int) -> int:
    if level.queuing is None:
        return 0
    return max(1, min(math.ceil(nominal * MOST_OF_LEVEL), nominal // level.queuing.hand_size))


def _wish(limits: Limits, demand: Demand) -> Wish:
    lower = max(limits.lower, min(limits.nominal, demand.high_water_mark))
    return Wish(max(lower, demand.smoothed), lower, limits.upper)


def _shared(
    whole: int,
    left: int,
    lowers: Mapping[str, int],
    wishes: Mapping[str, Wish],
    current: Mapping[str, int],
) -> dict[str, float]:
    least, wanted = sum(lowers.values()), sum(wish.lower for wish in wishes.values())
    if left <= least:
        return {name: float(lower) for name, lower in lowers.items()}
    if left <= wanted:
        part = (left - least) / (wanted - least)
        return {n: lower + (wishes[n].lower - lower) * part for n, lower in lowers.items()}
    divided = divide(whole, tuple(wishes.values()))
    if divided is None:
        return {name: float(current[name]) for name in wishes}
    return dict(zip(wishes, divided.seats, strict=True))


def _rounded(value: float) -> int:
    """Round halves away from zero, as the API server does."""
    return math.floor(value + 0.5)
