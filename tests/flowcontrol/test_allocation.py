"""Nominal limits, demand and borrowing: planted numbers and what must always hold."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubepostmortem.flowcontrol.allocation import (
    Demand,
    Limits,
    adjusted,
    nominal_limits,
    observed,
)
from kubepostmortem.flowcontrol.division import Wish, divide
from kubepostmortem.flowcontrol.objects import PriorityLevel, Queuing

EXEMPT = PriorityLevel("exempt", exempt=True, shares=0)
LIMITS = {
    "exempt": Limits(0, 0, 100, 0),
    "busy": Limits(40, 20, 140, 6),
    "idle": Limits(60, 10, 160, 9),
}
LEVELS = (EXEMPT, *(PriorityLevel(name, exempt=False, shares=1) for name in ("busy", "idle")))
CURRENT = {"exempt": 0, "busy": 33, "idle": 66}


def level(name: str = "a", shares: int = 10, **fields) -> PriorityLevel:
    return PriorityLevel(name, exempt=False, shares=shares, **fields)


def after(**demands: Demand) -> dict[str, int]:
    """Limits after an adjustment; who is not named asked for nothing."""
    nothing = dict.fromkeys(LIMITS, Demand())
    return adjusted(LEVELS, LIMITS, nothing | demands, CURRENT)


def wishes() -> st.SearchStrategy[list[Wish]]:
    seats = st.integers(0, 300)
    bounds = st.tuples(seats, seats, seats).map(sorted)
    one = bounds.map(lambda three: Wish(float(three[1]), three[0], three[2]))
    return st.lists(one, min_size=1, max_size=9)


def test_shares_divide_the_server_and_halves_round_up() -> None:
    limits = nominal_limits(
        10, [level("a", 10, lendable_percent=50), level("b", 11, borrowing_limit_percent=50)]
    )

    assert (limits["a"].nominal, limits["b"].nominal) == (5, 6)
    assert (limits["a"].lower, limits["a"].upper) == (2, 15)
    assert (limits["b"].lower, limits["b"].upper) == (6, 9)


@pytest.mark.parametrize(
    ("server_limit", "hand_size", "widest"), [(600, 6, 90), (600, 8, 75), (3, 8, 1), (0, 1, 1)]
)
def test_levels_with_queues_bound_one_request(server_limit, hand_size, widest) -> None:
    queues = Queuing(64, hand_size, 50)

    assert nominal_limits(server_limit, [level(queuing=queues)])["a"].widest_request == widest
    assert nominal_limits(server_limit, [level()])["a"].widest_request == 0


def test_levels_without_any_shares_have_nothing() -> None:
    assert nominal_limits(600, [level(shares=0)])["a"].nominal == 0


def test_demand_is_a_mean_and_a_deviation() -> None:
    """Two seats for 1 s, none for 1 s."""
    demand = observed(Demand(), 2, seat_s=2.0, squared_seat_s=4.0, elapsed_s=2.0)

    assert (demand.high_water_mark, demand.average, demand.deviation) == (2, 1.0, 1.0)
    assert demand.smoothed == 2.0


def test_demand_rises_at_once_and_falls_slowly() -> None:
    before = Demand(smoothed=100.0)

    risen = observed(before, 300, seat_s=2000.0, squared_seat_s=400_000.0, elapsed_s=10.0)
    fallen = observed(before, 0, seat_s=0.0, squared_seat_s=0.0, elapsed_s=10.0)

    assert risen.smoothed == 200.0
    assert fallen.smoothed == pytest.approx(97.7)


def test_no_time_tells_the_high_water_mark_alone() -> None:
    before = Demand(1, 2.0, 3.0, 4.0)

    assert observed(before, 9, 0.0, 0.0, 0.0) == Demand(9, 2.0, 3.0, 4.0)


def test_at_rest_the_least_limits_set_the_proportion() -> None:
    assert after() == {"exempt": 0, "busy": 67, "idle": 33}


def test_who_asks_for_more_gets_more() -> None:
    assert after(busy=Demand(120, smoothed=90.0))["busy"] == 90


def test_nobody_falls_below_what_it_used_of_its_own() -> None:
    limits = after(busy=Demand(900, smoothed=900.0), idle=Demand(25, smoothed=5.0))

    assert limits == {"exempt": 0, "busy": 75, "idle": 25}


def test_exempt_demand_takes_what_others_lend() -> None:
    """Of 100 seats, 60 are for exempt requests: 40 are left, of which 30 cannot be lent."""
    limits = after(exempt=Demand(60), busy=Demand(40, smoothed=40.0), idle=Demand(30))

    assert limits == {"exempt": 60, "busy": 20 + 5, "idle": 10 + 5}


@pytest.mark.parametrize("seats", [75, 500])
def test_exempt_demand_takes_no_more_than_others_lend(seats: int) -> None:
    limits = after(exempt=Demand(seats), busy=Demand(40, smoothed=40.0))

    assert limits == {"exempt": seats, "busy": 20, "idle": 10}


def test_exempt_demand_that_others_can_spare_takes_nothing() -> None:
    assert after(exempt=Demand(10)) == after() | {"exempt": 10}


def test_limits_stay_where_no_division_fits() -> None:
    narrow = {name: Limits(one.nominal, one.lower, 45, 0) for name, one in LIMITS.items()}

    assert adjusted(LEVELS, narrow, dict.fromkeys(LIMITS, Demand()), CURRENT) == CURRENT


@given(wishes=wishes(), part=st.floats(0, 1))
def test_all_seats_are_divided_within_bounds(wishes: list[Wish], part: float) -> None:
    lowest, highest = sum(w.lower for w in wishes), sum(w.upper for w in wishes)
    seats = round(lowest + part * (highest - lowest))

    division = divide(seats, wishes)

    assert division is not None
    assert math.isclose(sum(division.seats), seats, rel_tol=1e-6, abs_tol=1e-6)
    for granted, wish in zip(division.seats, wishes, strict=True):
        assert wish.lower <= granted <= wish.upper
        target = division.multiple * max(wish.target, 0.001)
        unbound = wish.lower < granted < wish.upper
        assert not unbound or math.isclose(granted, target)


@given(wishes=wishes())
def test_what_bounds_forbid_is_not_divided(wishes: list[Wish]) -> None:
    lowest, highest = sum(w.lower for w in wishes), sum(w.upper for w in wishes)

    assert divide(int(lowest) - 1, wishes) is None
    assert divide(int(highest) + 1, wishes) is None
