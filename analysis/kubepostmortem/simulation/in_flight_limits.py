"""The limits of requests in flight, and of seats, of one API server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kubepostmortem.flowcontrol.defaults import (
    MAX_MUTATING_REQUESTS_INFLIGHT,
    MAX_REQUESTS_INFLIGHT,
    SERVER_LIMIT,
)
from kubepostmortem.flowcontrol.objects import PriorityLevel
from kubepostmortem.simulation.flags import MAX_MUTATING, MAX_REQUESTS, Flags
from kubepostmortem.simulation.metrics_told import Told
from kubepostmortem.simulation.server_limit import fitting_limits, likeliest, limits_by_sum
from kubepostmortem.simulation.setting import Setting

DEFAULTS = {MAX_REQUESTS: MAX_REQUESTS_INFLIGHT, MAX_MUTATING: MAX_MUTATING_REQUESTS_INFLIGHT}
MOST_SUMMED = 10  # API servers of one cluster
KINDS = {"readOnly": MAX_REQUESTS, "mutating": MAX_MUTATING}  # request_kind of the metric


@dataclass(frozen=True)
class InFlightLimits:
    """Most requests at once, by flag, how each is known, and what contradicts.

    fitting: server limits that the metrics allow; empty: they tell none.
    """

    limits: Mapping[str, int]
    settings: tuple[Setting, ...]
    conflicts: tuple[str, ...]
    fitting: range

    @property
    def server_limit(self) -> int:
        """Seats of the server."""
        return sum(self.limits.values())

    @property
    def fits(self) -> bool:
        """Whether metrics allow this limit, or tell none."""
        return not self.fitting or self.server_limit in self.fitting


def in_flight_limits(
    flags: Flags, told: Told, levels: Mapping[str, PriorityLevel], listed: frozenset[str]
) -> InFlightLimits:
    """Return the limits that flags give, else those that fit the metrics, else the defaults.

    levels: all in force; listed: those of them whose shares are known.
    """
    fitting = _fitting(told, levels, listed)
    given = {name: n for name in DEFAULTS if (n := flags.number(name)) is not None}
    limits = {**_ungiven(given, fitting), **given}
    settings = tuple(_setting(name, limits[name], given, flags, fitting) for name in DEFAULTS)
    conflicts = (*_unlike(sum(limits.values()), fitting), *_exceeded(limits, told))
    return InFlightLimits(limits, settings, conflicts, fitting)


def _fitting(told: Told, levels: Mapping[str, PriorityLevel], listed: frozenset[str]) -> range:
    nominal = {name: seats for name, seats in told.nominal.items() if name in listed}
    if not any(nominal.values()):
        return range(0)
    by_shares = fitting_limits(levels.values(), nominal)
    return by_shares or (limits_by_sum(told.nominal) if told.names_all_levels else by_shares)


def _ungiven(given: Mapping[str, int], fitting: range) -> dict[str, int]:
    """Divide what the server limit leaves for flags that are not given."""
    left = [name for name in DEFAULTS if name not in given]
    if not fitting or not left:
        return {name: DEFAULTS[name] for name in left}
    limit = likeliest(fitting) - sum(given.values())
    if len(left) == 1:
        return {left[0]: max(0, limit)}
    reads = round(limit * MAX_REQUESTS_INFLIGHT / SERVER_LIMIT)
    return {MAX_REQUESTS: reads, MAX_MUTATING: limit - reads}


def _setting(
    name: str, value: int, given: Mapping[str, int], flags: Flags, fitting: range
) -> Setting:
    if name in given:
        return Setting(f"--{name}", str(value), "flags", f"The command line has --{name}={value}.")
    if fitting:
        seats = _seats(fitting)
        detail = f"Nominal limits in the metrics fit a server limit of {seats}"
        if given:
            return Setting(f"--{name}", str(value), "metrics", f"{detail}, less the other limit.")
        parts = "of which reads are taken to have two thirds, as in the defaults"
        return Setting(f"--{name}", str(value), "metrics", f"{detail}, {parts}.")
    why = "The command line does not set it" if flags.whole else "No source tells it"
    return Setting(f"--{name}", str(value), "release defaults", f"{why}; default of Kubernetes.")


def _seats(fitting: range) -> str:
    if len(fitting) == 1:
        return f"{fitting[0]} seats"
    return f"{fitting[0]} to {fitting[-1]} seats ({likeliest(fitting)} is the likeliest)"


def _unlike(limit: int, fitting: range) -> list[str]:
    if not fitting or limit in fitting:
        return []
    servers = next((n for n in range(2, MOST_SUMMED) if limit * n in fitting), None)
    sums = f" That is as if they were summed over {servers} API servers." if servers else ""
    return [
        f"Nominal limits in the metrics fit a server limit of {_seats(fitting)}, the limits in "
        f"flight add up to {limit}.{sums}"
    ]


def _exceeded(limits: Mapping[str, int], told: Told) -> list[str]:
    # With API Priority and Fairness the two limits only count as their sum.
    if told.flow_control:
        return []
    return [
        f"apiserver_current_inflight_requests reached {most} for {kind} requests, above "
        f"--{KINDS[kind]}={limits[KINDS[kind]]}."
        for kind, most in told.peaks.items()
        if kind in KINDS and most > limits[KINDS[kind]] > 0
    ]
