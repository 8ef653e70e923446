"""The limit of a server, read back from the nominal limits of its levels."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kubepostmortem.flowcontrol.allocation import nominal_limits
from kubepostmortem.flowcontrol.defaults import default_priority_levels
from kubepostmortem.flowcontrol.objects import PriorityLevel
from kubepostmortem.simulation.server_limit import fitting_limits, likeliest, limits_by_sum
from simulation.flow_control_evidence import DEFAULT_NOMINAL

LEVELS = st.lists(st.integers(0, 500), min_size=1, max_size=9).map(
    lambda shares: [PriorityLevel(f"l{i}", exempt=False, shares=n) for i, n in enumerate(shares)]
)


@given(LEVELS, st.integers(1, 20_000))
def test_exactly_the_limits_fit_that_give_the_same_seats(
    levels: list[PriorityLevel], limit: int
) -> None:
    def seats(of: int) -> dict[str, int]:
        return {name: limits.nominal for name, limits in nominal_limits(of, levels).items()}

    fitting = fitting_limits(levels, seats(limit))

    if any(level.shares for level in levels):
        assert limit in fitting
        assert limit in limits_by_sum(seats(limit))
        assert seats(fitting[0]) == seats(fitting[-1]) == seats(limit)
        assert seats(fitting[-1] + 1) != seats(limit)
        assert fitting[0] == 1 or seats(fitting[0] - 1) != seats(limit)
    else:
        assert not fitting


def test_the_roundest_limit_is_the_likeliest() -> None:
    fitting = fitting_limits(default_priority_levels(33), DEFAULT_NOMINAL)

    assert (fitting[0], fitting[-1], likeliest(fitting)) == (118, 120, 120)
    assert likeliest(range(588, 613)) == 600
    assert likeliest(range(1990, 2011)) == 2000


def test_no_limit_gives_seats_to_a_level_without_shares() -> None:
    levels = [PriorityLevel("none", exempt=False, shares=0), PriorityLevel("all", False, 10)]

    assert not fitting_limits(levels, {"none": 1, "all": 10})
    assert not fitting_limits(levels, {"none": 0, "all": 0})
