"""The shared processor: against exact fractions, and against what queuing theory says."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowcontrol.reactions import CALLS, LIST, NO_LIMITS, asked_once, load
from kubepostmortem.flowcontrol.in_flight import InFlightLimits
from kubepostmortem.flowcontrol.offered import Offered
from kubepostmortem.flowcontrol.reacting import Reacted

MEAN_NS = 1_000_000
MANY = 200_000
UNHURRIED = CALLS.index(LIST)


def shared(arrivals: list[int], work: list[int], cores: Fraction) -> list[Fraction]:
    """When each request is done that shares the cores with the others, exactly."""
    ends, left = [Fraction(0)] * len(work), {}
    now, due = Fraction(0), sorted(range(len(work)), key=arrivals.__getitem__)
    while due or left:
        speed = min(Fraction(1), cores / max(1, len(left)))
        ready = min((w / speed for w in left.values()), default=None)
        coming = arrivals[due[0]] - now if due else None
        step = min(x for x in (ready, coming) if x is not None)
        now += step
        left = {r: w - step * speed for r, w in left.items()}
        for request in [r for r, w in left.items() if w <= 0]:
            ends[request] = now
            del left[request]
        while due and arrivals[due[0]] <= now:
            one = due.pop(0)
            left[one] = Fraction(work[one])
    return ends


@settings(max_examples=60, deadline=None)
@given(
    jobs=st.lists(
        st.tuples(st.integers(0, 3_000_000), st.integers(0, 9_000_000)), min_size=1, max_size=40
    ),
    cores=st.sampled_from([0.25, 0.5, 1.0, 2.0, 3.5, 100.0]),
)
def test_requests_share_the_cores_equally(jobs: list[tuple[int, int]], cores: float) -> None:
    arrivals, work = np.cumsum([gap for gap, _ in jobs]).tolist(), [work for _, work in jobs]

    found = asked_once(load(arrivals, work, UNHURRIED), NO_LIMITS, cores)

    # Each end is rounded up to a nanosecond, and delays those after it.
    expected = np.array([float(end) for end in shared(arrivals, work, Fraction(cores))])
    assert np.abs(found.ended_ns - expected).max() <= len(jobs) + 1
    assert found.started_ns.tolist() == arrivals


def served(work_ns: np.ndarray, per_core: float, cores: int) -> tuple[Offered, Reacted]:
    """Poisson arrivals that use so much of each core."""
    dice = np.random.default_rng(3)
    gaps = dice.exponential(MEAN_NS / (per_core * cores), len(work_ns))
    offered = load(np.cumsum(gaps).astype(np.int64), work_ns.astype(np.int64), UNHURRIED)
    return offered, asked_once(offered, NO_LIMITS, cores)


def exponential(seed: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).exponential(MEAN_NS, MANY)


LAWS = {
    "exponential": exponential(),
    # The mean does not depend on the law (Kleinrock 1967); it does where requests take turns.
    "constant": np.full(MANY, MEAN_NS),
    "of two kinds": np.random.default_rng(5).choice([5e5, 5.5e6], MANY, p=[0.9, 0.1]),
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("load_of_core", [0.5, 0.7])
def test_one_core_slows_all_by_what_is_left_of_it(law: str, load_of_core: float) -> None:
    """The mean of M/G/1-PS is that of the work, divided by 1 - load."""
    _, found = served(LAWS[law], load_of_core, 1)

    expected = LAWS[law].mean() / (1 - load_of_core * LAWS[law].mean() / MEAN_NS)
    assert found.took_ns.mean() == pytest.approx(expected, rel=0.04)


def test_short_requests_are_slowed_as_much_as_long_ones() -> None:
    offered, found = served(LAWS["exponential"], 0.5, 1)

    for short, long in ((0.1, 0.5), (0.5, 1.0), (1.0, 2.0), (2.0, 4.0)):
        these = (offered.service_ns >= short * MEAN_NS) & (offered.service_ns < long * MEAN_NS)
        slowed = found.took_ns[these].sum() / offered.service_ns[these].sum()
        assert slowed == pytest.approx(2.0, rel=0.05)


@pytest.mark.parametrize("load_of_core", [0.5, 0.8])
def test_two_cores(load_of_core: float) -> None:
    """As many requests are there as in M/M/2: in the mean, 1 / (1 - load^2) times the work."""
    _, found = served(LAWS["exponential"], load_of_core, 2)

    assert found.took_ns.mean() == pytest.approx(MEAN_NS / (1 - load_of_core**2), rel=0.05)


@pytest.mark.parametrize("places", [1, 2, 5])
def test_limits_in_flight_lose_what_erlang_says(places: int) -> None:
    """Erlang's loss formula, here for 1.6 requests in flight if all were let in."""
    gaps = np.random.default_rng(6).exponential(MEAN_NS / 1.6, MANY)
    offered = load(np.cumsum(gaps).astype(np.int64), exponential().astype(np.int64), UNHURRIED)

    found = asked_once(offered, InFlightLimits(places, 0))

    lost = 1.0
    for place in range(1, places + 1):
        lost = 1.6 * lost / (place + 1.6 * lost)
    assert 1 - found.answered.mean() == pytest.approx(lost, abs=0.006)


@settings(max_examples=40, deadline=None)
@given(
    jobs=st.lists(
        st.tuples(st.integers(0, 3_000_000), st.integers(0, 9_000_000)), min_size=1, max_size=60
    ),
    cores=st.sampled_from([0.5, 1.0, 2.0]),
    most=st.integers(0, 6),
)
def test_no_work_is_lost_and_none_is_made(
    jobs: list[tuple[int, int]], cores: float, most: int
) -> None:
    """What the cores do while requests execute is the work of those that were let in."""
    arrivals, work = np.cumsum([gap for gap, _ in jobs]), np.array([work for _, work in jobs])

    found = asked_once(load(arrivals, work, UNHURRIED), InFlightLimits(most, 0), cores)

    done = found.answered
    begins, ends = found.started_ns[done], found.ended_ns[done]
    moments = np.unique(np.concatenate([begins, ends]))
    executing = ((begins <= moments[:-1, None]) & (ends > moments[:-1, None])).sum(axis=1)
    spent = (np.minimum(executing, cores) * np.diff(moments)).sum()
    busy = (np.diff(moments) * (executing > 0)).sum()
    assert abs(spent - work[done].sum()) <= len(jobs) * len(jobs)
    assert busy * cores >= work[done].sum() - len(jobs)
