"""The limit of a server, found from the nominal limits of its priority levels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from kubepostmortem.flowcontrol.defaults import SERVER_LIMIT
from kubepostmortem.flowcontrol.objects import PriorityLevel

ROUND = (1000, 100, 50, 10, 5, 2)  # people write limits that these divide


def fitting_limits(levels: Iterable[PriorityLevel], nominal: Mapping[str, int]) -> range:
    """Return the server limits that give these levels their nominal limits; empty: none does.

    Inverts allocation.nominal_limits: seats are the server limit times the part of all shares,
    rounded up. nominal: seats by level; levels that it lacks count by their shares alone.
    """
    known = tuple(levels)
    shares = sum(level.shares for level in known)
    told = [(level.shares, nominal[level.name]) for level in known if level.name in nominal]
    sharing = [(part, seats) for part, seats in told if part]
    if not sharing or any(seats for part, seats in told if not part):
        return range(0)
    least = max((seats - 1) * shares // part + 1 for part, seats in sharing)
    most = min(seats * shares // part for part, seats in sharing)
    return range(max(least, 1), most + 1)


def limits_by_sum(nominal: Mapping[str, int]) -> range:
    """Return the server limits that the sum of all nominal limits leaves, whatever the shares.

    Each level's part is rounded up, by less than one seat.
    """
    whole = sum(nominal.values())
    rounded = sum(seats > 0 for seats in nominal.values())
    return range(whole - rounded + 1, whole + 1) if whole else range(0)


def likeliest(limits: range) -> int:
    """Return the limit that people would write: the default, or the roundest number."""
    if SERVER_LIMIT in limits:
        return SERVER_LIMIT
    return max(limits, key=lambda limit: (_roundness(limit), limit))


def with_unlisted(
    levels: Mapping[str, PriorityLevel], nominal: Mapping[str, int], model: PriorityLevel
) -> dict[str, PriorityLevel]:
    """Return these levels and those that only metrics name, with shares that fit their seats.

    model: what the unlisted levels are taken to be like, but for name and shares.
    """
    listed = [level for level in levels.values() if level.name in nominal]
    shares = sum(level.shares for level in listed)
    # Nominal limits are rounded up, by half a seat on average.
    seats = sum(max(0.0, nominal[level.name] - 0.5) for level in listed)
    unlisted = sorted(nominal.keys() - levels.keys())
    if not seats:
        return dict(levels)
    return dict(levels) | {
        name: replace(model, name=name, shares=_estimated(nominal[name], shares / seats))
        for name in unlisted
    }


def _estimated(seats: int, shares_per_seat: float) -> int:
    return max(1, round((seats - 0.5) * shares_per_seat)) if seats else 0


def _roundness(limit: int) -> int:
    return max((unit for unit in ROUND if limit % unit == 0), default=1)
