"""Clients of a replay: they try again as they are told, poll one after the other, and leave."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flowcontrol.reactions import (
    CALLS,
    HURRIED,
    LOG,
    MANY_CORES,
    MILLISECOND,
    SECOND,
    SERVER,
    behaviour,
    load,
    one_level,
)
from kubepostmortem.flowcontrol.clients import new_clients, poll_after, retry_after
from kubepostmortem.flowcontrol.in_flight import InFlightLimits
from kubepostmortem.flowcontrol.objects import Queuing
from kubepostmortem.flowcontrol.reacting import Reacted, react
from kubepostmortem.flowcontrol.retry_after import retry_after_s
from kubepostmortem.flowcontrol.state import NEVER, NOWHERE, REASONS, new_requests

ONE_SEAT = replace(SERVER, limit=1)
ONE_AT_A_TIME = InFlightLimits(1, 1)
QUEUE_FULL, CONCURRENCY_LIMIT, TIME_OUT = range(len(REASONS))
CORES = pytest.mark.parametrize("cores", [0.0, MANY_CORES])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3) | st.integers(0, 80), st.integers(0, 60)), max_size=40))
@example([(0, 50), (32, 1), (1, 1)])  # 32 s later, the counts of the first second are void
def test_clients_are_told_what_the_api_server_tells(bursts: list[tuple[int, int]]) -> None:
    """Bursts of drops, some seconds apart."""
    seconds = np.cumsum([gap for gap, _ in bursts], dtype=np.int64)
    dropped = np.repeat(seconds, [many for _, many in bursts]) * SECOND
    told = new_clients(1, 1).told[0]

    found = [retry_after(told, int(ns)) for ns in dropped]

    assert found == retry_after_s(dropped).tolist()


def test_old_releases_always_tell_one_second() -> None:
    told = new_clients(1, 1, dynamic=False).told[0]

    assert {retry_after(told, n * SECOND // 100) for n in range(3000)} == {1}


def refused_at_first(
    service_ns: int, cores: float, tries: int = 10, patience_ns: int = NEVER, lag_ns: int = 0
) -> Reacted:
    """One request that executes for so long, and one that comes while it does."""
    offered = load([0, 1], [service_ns, MILLISECOND])
    clients = behaviour(offered, tries, lag_ns=lag_ns)
    clients.patience_ns[1] = patience_ns
    return react(offered, SERVER, ONE_AT_A_TIME, clients, cores)


@CORES
@pytest.mark.parametrize("lag_ns", [0, 7 * MILLISECOND])
def test_who_is_refused_asks_again_after_a_second(cores: float, lag_ns: int) -> None:
    found = refused_at_first(5 * SECOND // 2, cores, lag_ns=lag_ns)

    asked_again_ns = 1 + 3 * (SECOND + lag_ns)
    assert found.answered.all()
    assert found.refused.tolist() == [[0, 0, 0], [0, 3, 0]]
    assert (found.started_ns[1], found.waited_ns[1]) == (asked_again_ns, 0)
    assert found.took_ns[1] == asked_again_ns - 1 + MILLISECOND


@CORES
@pytest.mark.parametrize("tries", [0, 1, 4])
def test_nobody_asks_more_often_than_it_tries(cores: float, tries: int) -> None:
    found = refused_at_first(100 * SECOND, cores, tries)

    assert not found.answered[1]
    assert found.refused[1, CONCURRENCY_LIMIT] == 1 + tries
    assert found.took_ns[1] == tries * SECOND


@CORES
@pytest.mark.parametrize(("patience_ns", "refusals"), [(SECOND, 1), (2 * SECOND + 1, 3)])
def test_nobody_asks_again_after_it_lost_patience(
    cores: float, patience_ns: int, refusals: int
) -> None:
    found = refused_at_first(100 * SECOND, cores, patience_ns=patience_ns)

    assert found.refused[1, CONCURRENCY_LIMIT] == refusals
    assert not found.answered[1]


@CORES
def test_patience_ends_a_request_that_executes(cores: float) -> None:
    offered = load([0, 1, 2], [SECOND, SECOND, 3], callers=[0, 1, 2])

    found = react(offered, SERVER, InFlightLimits(2, 0), behaviour(offered, 1, SECOND // 4), cores)

    assert found.cut.tolist() == [True, True, False]
    assert found.ended_ns[:2].tolist() == [SECOND // 4, SECOND // 4 + 1]
    assert found.refused.sum() == 1


@CORES
def test_patience_ends_a_wait_in_a_queue(cores: float) -> None:
    """A level of one seat that is taken for 5 s."""
    offered, queued = load([0, 1, 2], [5 * SECOND, 1, 1], callers=0), one_level(Queuing(1, 1, 9))
    clients = behaviour(offered, 9)
    clients.patience_ns[1:] = SECOND, 6 * SECOND

    found = react(offered, ONE_SEAT, queued, clients, cores)

    assert found.answered.tolist() == [True, False, True]
    assert found.refused[1].tolist() == [0, 0, 1]
    assert (found.ended_ns[1], found.waited_ns[1]) == (SECOND + 1, SECOND)


@CORES
def test_refusals_are_counted_by_reason(cores: float) -> None:
    """One seat, one place to wait: the second waits and gives up, the third finds it taken."""
    offered = load([0, 1, 2], [40 * SECOND, 1, 1], callers=0)

    queued = react(offered, ONE_SEAT, one_level(Queuing(1, 1, 1)), behaviour(offered), cores)
    rejecting = react(offered, ONE_SEAT, one_level(None), behaviour(offered), cores)

    assert queued.refused.tolist() == [[0, 0, 0], [0, 0, 1], [1, 0, 0]]
    assert queued.waited_ns.tolist() == [0, 15 * SECOND, 0]
    assert rejecting.refused.tolist() == [[0, 0, 0], [0, 1, 0], [0, 1, 0]]


@CORES
def test_a_try_waits_anew(cores: float) -> None:
    """It gives up after 15 s, asks again a second later, and gets its turn at 20 s."""
    offered = load([0, 1], [20 * SECOND, 5], callers=0)

    found = react(offered, ONE_SEAT, one_level(Queuing(1, 1, 9)), behaviour(offered, 10), cores)

    assert found.refused[1].tolist() == [0, 0, 1]
    assert (found.started_ns[1], found.waited_ns[1]) == (20 * SECOND, 4 * SECOND - 1)


@CORES
def test_a_poll_comes_when_it_is_due_or_the_former_has_ended(cores: float) -> None:
    """Polls are due at 1, 2 and 9 s; the first one takes 1.5 s, and passes the second."""
    offered = load([0, SECOND, 2 * SECOND, 9 * SECOND], [3 * SECOND // 2, 1, 1, 1])

    found = react(
        offered, SERVER, InFlightLimits(9, 9),
        behaviour(offered, next_poll=[1, 2, 3, NOWHERE], arrivals=1), cores,
    )  # fmt: skip

    assert found.asked.all()
    assert found.started_ns.tolist() == [0, 3 * SECOND // 2, 2 * SECOND, 9 * SECOND]


@CORES
def test_polls_that_it_is_too_late_for_are_left_out(cores: float) -> None:
    offered = load([0, SECOND, 2 * SECOND, 3 * SECOND], [5 * SECOND // 2, 1, 1, 1])

    found = react(
        offered, SERVER, InFlightLimits(9, 9),
        behaviour(offered, next_poll=[1, 2, 3, NOWHERE], arrivals=1), cores,
    )  # fmt: skip

    assert found.asked.tolist() == [True, False, True, True]
    assert not found.answered[1]
    assert found.started_ns[2:].tolist() == [5 * SECOND // 2, 3 * SECOND]


@CORES
def test_a_refused_poll_is_followed_by_the_next(cores: float) -> None:
    """The place is taken for 1.5 s by another client."""
    offered = load([0, SECOND, 2 * SECOND], [3 * SECOND // 2, 1, 1])
    offered.received_ns[0] = -SECOND // 4

    found = react(
        offered, SERVER, ONE_AT_A_TIME,
        behaviour(offered, next_poll=[NOWHERE, 2, NOWHERE], arrivals=2), cores,
    )  # fmt: skip

    assert found.refused[:, CONCURRENCY_LIMIT].tolist() == [0, 1, 0]
    assert found.answered.tolist() == [True, False, True]


@CORES
def test_polls_of_streams_follow_each_other(cores: float) -> None:
    """No level sees them, but their clients wait for them all the same."""
    offered = load([0, SECOND, 2 * SECOND], [3 * SECOND // 2, 5, 5], CALLS.index(LOG))

    found = react(
        offered, SERVER, ONE_AT_A_TIME,
        behaviour(offered, next_poll=[1, 2, NOWHERE], arrivals=1), cores,
    )  # fmt: skip

    assert found.answered.all()
    assert found.started_ns.tolist() == [0, 3 * SECOND // 2, 2 * SECOND]
    assert found.took_ns.tolist() == [3 * SECOND // 2, 5, 5]


@given(
    due=st.lists(st.integers(0, 40), min_size=1, max_size=12),
    ended=st.integers(0, 50),
)
def test_the_next_poll_is_the_last_that_is_due(due: list[int], ended: int) -> None:
    due_ns = np.sort(np.array([0, *due], dtype=np.int64))
    clients = new_clients(len(due_ns), 1)
    clients.next_poll[:-1] = np.arange(1, len(due_ns))
    nothing = np.zeros(len(due_ns), dtype=np.int64)
    requests = new_requests(due_ns, nothing, nothing, nothing)

    found = poll_after(clients, requests, 0, ended)

    late = np.flatnonzero(due_ns[1:] <= ended)
    assert found == (1 + late[-1] if len(late) else 1)
    assert poll_after(clients, requests, len(due_ns) - 1, ended) == NOWHERE


@settings(max_examples=60, deadline=None)
@given(
    gaps=st.lists(st.integers(0, 3 * SECOND), min_size=2, max_size=25),
    service_ns=st.integers(0, 4 * SECOND),
    tries=st.integers(0, 2),
    cores=st.sampled_from([0.0, 0.5, 2.0]),
)
def test_polls_never_overlap(gaps: list[int], service_ns: int, tries: int, cores: float) -> None:
    """Two clients poll in turn, with one place between them."""
    due_ns = np.concatenate([[0, 1], np.cumsum(gaps)])
    count = len(due_ns)
    offered = load(due_ns, service_ns)
    following = [n + 2 if n + 2 < count else NOWHERE for n in range(count)]

    found = react(
        offered, SERVER, ONE_AT_A_TIME,
        behaviour(offered, tries, next_poll=following, arrivals=2), cores,
    )  # fmt: skip

    for client in (0, 1):
        asked = np.flatnonzero(found.asked & (np.arange(count) % 2 == client))
        first_ns = (found.ended_ns - found.took_ns)[asked]
        assert (first_ns >= due_ns[asked]).all()
        assert (first_ns[1:] >= found.ended_ns[asked][:-1]).all()
        assert asked[0] == client
        assert asked[-1] >= count - 2


@CORES
def test_a_deadline_cuts_and_gives_the_seat_back(cores: float) -> None:
    """300 ms of a second; the next request gets the seat then."""
    hurried = CALLS.index(HURRIED)
    offered = load([0, SECOND // 3], [SECOND, 9], [hurried, 0], callers=0)

    for policy in (ONE_AT_A_TIME, one_level(None), one_level(Queuing(1, 1, 1))):
        found = react(offered, ONE_SEAT, policy, behaviour(offered), cores)

        assert found.cut.tolist() == [True, False]
        assert found.answered.tolist() == [False, True]
        assert found.took_ns.tolist() == [300 * MILLISECOND, 9]


def test_who_is_cut_off_slows_others_no_longer() -> None:
    """Two share one core; after 300 ms, each is served for 150 ms, the other one is alone."""
    offered = load([0, 0], [SECOND, SECOND], [CALLS.index(HURRIED), 0])

    found = react(offered, SERVER, InFlightLimits(0, 0), behaviour(offered), cores=1.0)

    assert found.cut.tolist() == [True, False]
    assert found.ended_ns.tolist() == [300 * MILLISECOND, 1150 * MILLISECOND]


@CORES
def test_a_seat_that_is_free_when_a_wait_ends_is_taken(cores: float) -> None:
    """It waits for 15 s at most, and that long does the other one take."""
    offered = load([0, 0], [15 * SECOND, 5], callers=0)

    found = react(offered, ONE_SEAT, one_level(Queuing(1, 1, 9)), behaviour(offered), cores)

    assert found.answered.all()
    assert found.waited_ns.tolist() == [0, 15 * SECOND]
