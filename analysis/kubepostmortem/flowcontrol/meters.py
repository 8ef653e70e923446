"""Meters of a level: R of fair queuing, and the demand for seats that borrowing goes by."""

from __future__ import annotations

import numpy as np
from numba.extending import register_jitable

from kubepostmortem.flowcontrol.state import (
    ACTIVE,
    DEMAND,
    DEMAND2_S,
    DEMAND_NS,
    DEMAND_S,
    ELAPSED,
    HIGHEST,
    LIMIT,
    METER,
    METER_NS,
    SEATS_OF_QUEUES,
    SEATS_USED,
    SEATS_WAITING,
    Levels,
)

NS_OF_WORK = 10.0  # ns of one seat in a unit of work, 1e-8 seat-seconds
SECOND = 1_000_000_000  # ns


@register_jitable
def work(seats: float, ns: int) -> int:
    """Return seats times ns in units of work; halves are rounded away from zero."""
    exact = seats * float(ns) / NS_OF_WORK
    whole = np.trunc(exact)
    if abs(exact - whole) >= 0.5:
        whole += np.sign(exact)
    return int(whole)


@register_jitable
def advance_meter(levels: Levels, level: int, ns: int) -> None:
    """Bring R to this instant: each queue in use got its part of the seats since the last one."""
    counters = levels.counters[level]
    elapsed_ns = ns - counters[METER_NS]
    counters[METER_NS] = ns
    if counters[ACTIVE] > 0:
        seats = min(counters[SEATS_OF_QUEUES], counters[LIMIT])
        counters[METER] += work(float(seats) / float(counters[ACTIVE]), elapsed_ns)


@register_jitable
def note_demand(levels: Levels, level: int, ns: int) -> None:
    """Take the seats used and waited for as the demand from this instant on."""
    integrate_demand(levels, level, ns)
    demand = float(levels.counters[level, SEATS_USED] + levels.counters[level, SEATS_WAITING])
    levels.moments[level, DEMAND] = demand
    levels.moments[level, HIGHEST] = max(levels.moments[level, HIGHEST], demand)


@register_jitable
def integrate_demand(levels: Levels, level: int, ns: int) -> None:
    """Bring the integrals of the demand to this instant."""
    moments = levels.moments[level]
    elapsed_ns = ns - levels.counters[level, DEMAND_NS]
    levels.counters[level, DEMAND_NS] = ns
    # Whole seconds apart from the rest, so that the sums come out as the API server's do.
    seconds = float(elapsed_ns // SECOND) + float(elapsed_ns % SECOND) / 1e9
    demand = moments[DEMAND]
    moments[ELAPSED] += seconds
    moments[DEMAND_S] += demand * seconds
    moments[DEMAND2_S] += demand * demand * seconds
