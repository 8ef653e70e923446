"""What the API server did with every request of every scenario, field by field."""

from __future__ import annotations

import pytest

from flowcontrol.replaying import adjustments, columns_of, expected, in_flight, replayed
from flowcontrol.vectors import scenarios, vector

IN_FLIGHT = scenarios(60, 69)
APF = [name for name in scenarios() if name not in IN_FLIGHT]


@pytest.mark.parametrize("name", APF)
def test_priority_and_fairness(name: str) -> None:
    told = vector(name)

    found = replayed(told)

    columns, wanted = columns_of(found), expected(told)
    assert {
        field for field in columns if field in wanted and columns[field] != wanted[field]
    } == set()
    assert adjustments(found) == told["levels"]


@pytest.mark.parametrize("name", IN_FLIGHT)
def test_in_flight_limits(name: str) -> None:
    told = vector(name)

    columns, wanted = in_flight(told), expected(told)

    assert {
        field for field in columns if field in wanted and columns[field] != wanted[field]
    } == set()
