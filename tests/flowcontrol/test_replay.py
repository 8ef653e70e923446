"""Replays of planted loads: what no golden vector tells, and what holds of every replay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubepostmortem.flowcontrol.classify import Call, Caller
from kubepostmortem.flowcontrol.configuration import Configuration, in_force
from kubepostmortem.flowcontrol.deadlines import duration_ns
from kubepostmortem.flowcontrol.hashing import flow_hash, hand
from kubepostmortem.flowcontrol.max_in_flight import replay_in_flight
from kubepostmortem.flowcontrol.objects import (
    FlowSchema,
    NonResourceRule,
    PriorityLevel,
    Queuing,
    ResourceRule,
    Rule,
    Subject,
)
from kubepostmortem.flowcontrol.offered import Asked, Offered
from kubepostmortem.flowcontrol.preparation import Server
from kubepostmortem.flowcontrol.replay import Change, replay
from kubepostmortem.flowcontrol.replayed import Replayed
from kubepostmortem.flowcontrol.state import (
    CONCURRENCY_LIMIT,
    EXECUTED,
    NOWHERE,
    PENDING,
    QUEUE_FULL,
    TIME_OUT,
)
from kubepostmortem.flowcontrol.watches import Watched
from kubepostmortem.flowcontrol.work import Stored, width_rules

SECOND = 1_000_000_000
USERS = tuple(Caller(f"user-{n}", ("system:authenticated",)) for n in range(6))
MANY = tuple(Caller(f"user-{n}") for n in range(40))
ALL = ResourceRule(("*",), ("*",), ("*",), cluster_scope=True, namespaces=("*",))
GET = Asked(Call("get", "", "pods", "", "a", "p"), "/api/v1/namespaces/a/pods/p")
LIST = Asked(Call("list", "", "pods"), "/api/v1/pods")
WATCH = Asked(Call("watch", "", "pods"), "/api/v1/pods?watch=true&resourceVersion=7")
PATCH = Asked(Call("patch", "", "pods", "", "a", "p"), "/api/v1/namespaces/a/pods/p")
CALLS = (GET, LIST, WATCH, PATCH)
SERVER = Server(12, width_rules(33), {"pods": Stored(350)})


def level(name: str, shares: int, queuing: Queuing | None) -> PriorityLevel:
    return PriorityLevel(name, exempt=False, shares=shares, queuing=queuing)


def configuration(*levels: PriorityLevel, everyone_to: str) -> Configuration:
    rules = (Rule((Subject("Group", "*"),), (ALL,), (NonResourceRule(("*",), ("*",)),)),)
    return in_force(levels, [FlowSchema("all", everyone_to, 5, "ByUser", rules)])


def load(
    received_ns: Sequence[int], service_ns: Sequence[int], calls: Sequence[int] | None = None
) -> Offered:
    """Requests of the users in turn."""
    count = len(received_ns)
    return Offered(
        received_ns=np.array(received_ns, dtype=np.int64),
        caller=np.arange(count) % len(USERS),
        call=np.array(calls if calls is not None else [0] * count, dtype=np.int64),
        service_ns=np.array(service_ns, dtype=np.int64),
        watch_ns=np.full(count, SECOND),
        hang_up_ns=np.zeros(count, dtype=np.int64),
        callers=USERS,
        calls=CALLS,
    )


def limits(found: Replayed, ns: int) -> dict[str, int]:
    """Nominal limits that were set at an instant."""
    return {x.priority_level: x.limits.nominal for x in found.adjustments if x.ns == ns}


LEFT = 500_000_000


@pytest.mark.parametrize("reloads", [True, False])
def test_a_level_that_is_taken_away_keeps_its_share_until_it_has_drained(reloads: bool) -> None:
    queuing = Queuing(4, 2, 10)
    old, new = level("old", 10, queuing), level("new", 10, queuing)
    changes = [
        Change(0, configuration(old, new, everyone_to="old")),
        Change(LEFT, configuration(new, everyone_to="new")),
    ]
    # Two requests on each of the old level's seats, then some for the new one.
    offered = load([n + 1 for n in range(8)] + [LEFT + 1], [SECOND + n for n in range(8)] + [5])

    found = replay(offered, SERVER, changes, reloads=reloads)

    drained = int(found.ended_ns[:8].max())
    assert (found.outcome == EXECUTED).all()
    assert limits(found, LEFT) == {"old": 5, "new": 5, "catch-all": 3, "exempt": 0}
    expected = {"new": 8, "catch-all": 4, "exempt": 0} if reloads else {}
    assert limits(found, drained) == expected
    assert drained > 2 * SECOND


def test_a_queue_too_many_goes_when_it_is_empty_and_the_next_takes_its_place() -> None:
    first, second = (
        next(c for c in MANY if hand(flow_hash("all", c.user), 4, 1) == (place,))
        for place in (0, 1)
    )
    wide, narrow = (
        configuration(level("all", 1_000_000, Queuing(n, 1, 50)), everyone_to="all") for n in (4, 1)
    )
    received = [1, 2, 3, 4, 5, SECOND + LEFT]
    offered = replace(
        load(received, [SECOND] * 6),
        callers=(first, second),
        caller=np.array([0, 1, 1, 1, 1, 0]),
    )

    found = replay(offered, replace(SERVER, limit=1), [Change(0, wide), Change(LEFT, narrow)])

    assert found.queue.tolist() == [0, 1, 1, 1, 1, 0]
    assert np.argsort(found.dispatched_ns).tolist() == [0, 1, 2, 3, 4, 5]


def test_writes_are_wider_while_watches_go_on() -> None:
    """A watch counts from when it is dispatched, to when it ends."""
    only = configuration(level("all", 100, Queuing(4, 2, 50)), everyone_to="all")
    received = [*range(1, 31), SECOND // 2, 3 * SECOND]
    offered = load(received, [10] * 32, [2] * 30 + [3, 3])

    found = replay(offered, replace(SERVER, limit=400), [Change(0, only)])

    assert found.final_seats[-2:].tolist() == [3, 0]
    assert found.linger_ns[-2:].tolist() == [5_000_000, 0]


def test_standing_watches_never_end() -> None:
    only = configuration(level("all", 100, Queuing(4, 2, 50)), everyone_to="all")
    standing = {Watched("", "pods"): 25, Watched("", "pods", "a"): 5, Watched("", "pods", "b"): 9}
    offered = replace(load([100 * SECOND], [1], [3]), standing=standing)

    found = replay(offered, replace(SERVER, limit=400), [Change(0, only)])

    assert found.final_seats.tolist() == [3]


def test_without_borrowing_limits_stay() -> None:
    levels = (level("busy", 10, Queuing(4, 2, 50)), level("quiet", 10, Queuing(4, 2, 50)))
    only = configuration(*(replace(x, lendable_percent=100) for x in levels), everyone_to="busy")
    offered = load(range(1, 401), [SECOND] * 400)

    lent, kept = (replay(offered, SERVER, [Change(0, only)], borrows=b) for b in (True, False))

    assert (lent.outcome == EXECUTED).sum() > (kept.outcome == EXECUTED).sum()
    assert {x.ns for x in kept.adjustments} == {0}


def test_no_requests_are_a_replay_too() -> None:
    only = configuration(level("all", 100, None), everyone_to="all")

    assert len(replay(load([], []), SERVER, [Change(0, only)]).outcome) == 0
    assert len(replay_in_flight(load([], []), 1, 1, SECOND).executed) == 0


def test_in_flight_places_are_free_at_the_instant_that_a_request_ends() -> None:
    found = replay_in_flight(load([0, 5, 10], [10, 10, 10]), 1, 1, SECOND)

    assert found.executed.tolist() == [True, False, True]


@pytest.mark.parametrize(("verb", "executed"), [("get", False), ("head", True), ("", True)])
def test_what_is_no_read_takes_the_places_of_writes(verb: str, executed: bool) -> None:
    asked = (GET, Asked(Call(verb, path="/healthz")))
    offered = replace(load([1, 2], [SECOND] * 2, [0, 1]), calls=asked)

    found = replay_in_flight(offered, 1, 1, SECOND)

    assert found.executed.tolist() == [True, executed]


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1m30s", 90 * SECOND),
        ("1.5s", 3 * SECOND // 2),
        ("500ms", SECOND // 2),
        ("-2s", -2 * SECOND),
        ("0", 0),
        ("5", None),
        ("", None),
        ("s", None),
    ],
)
def test_timeouts_are_read_as_go_reads_them(text: str, ns: int | None) -> None:
    assert duration_ns(text) == ns


@st.composite
def loads(draw: st.DrawFn) -> Offered:
    gaps = draw(st.lists(st.integers(0, 40_000_000), min_size=1, max_size=150))
    count = len(gaps)
    service = draw(st.lists(st.integers(0, 400_000_000), min_size=count, max_size=count))
    calls = draw(st.lists(st.integers(0, len(CALLS) - 1), min_size=count, max_size=count))
    return load(np.cumsum(gaps).tolist(), service, calls)


QUEUINGS = st.none() | st.builds(
    Queuing, st.sampled_from([2, 4, 8]), st.integers(1, 2), st.integers(1, 6)
)


@settings(max_examples=60, deadline=None)
@given(loads(), QUEUINGS, st.integers(1, 30))
def test_every_request_has_its_end_and_seats_are_kept(
    offered: Offered, queuing: Queuing | None, seats: int
) -> None:
    only = configuration(level("all", 1_000_000, queuing), everyone_to="all")

    found = replay(offered, replace(SERVER, limit=seats), [Change(0, only)], borrows=False)

    assert (found.outcome != PENDING).all()
    executed = found.outcome == EXECUTED
    waited = np.where(executed, found.dispatched_ns, found.ended_ns) - offered.received_ns
    assert ((waited >= 0) & (waited <= 15 * SECOND)).all()
    assert (waited[found.outcome == TIME_OUT] == 15 * SECOND).all()
    refused = {CONCURRENCY_LIMIT} if queuing is None else {QUEUE_FULL, TIME_OUT}
    assert set(found.outcome[~executed].tolist()) <= refused
    assert ((found.queue != NOWHERE) <= (queuing is not None)).all()
    current = next(x.current for x in found.adjustments if x.priority_level == "all")
    _assert_seats_kept(found, current)


def _assert_seats_kept(found: Replayed, limit: int) -> None:
    """No more seats are taken than there are, but by a request that executes alone."""
    for ns in found.dispatched_ns[found.outcome == EXECUTED]:
        running = (found.dispatched_ns <= ns) & (found.ended_ns > ns) & (found.outcome == EXECUTED)
        seats = found.initial_seats[running].sum()
        assert seats <= limit or running.sum() == 1


@settings(max_examples=40, deadline=None)
@given(loads(), st.integers(2, 8))
def test_each_queue_is_served_in_order(offered: Offered, queues: int) -> None:
    only = configuration(level("all", 1_000_000, Queuing(queues, 1, 50)), everyone_to="all")

    found = replay(offered, SERVER, [Change(0, only)], borrows=False)

    for queue in range(queues):
        served = found.dispatched_ns[(found.queue == queue) & (found.outcome == EXECUTED)]
        assert (np.diff(served) >= 0).all()


@settings(max_examples=30, deadline=None)
@given(loads())
def test_with_room_for_all_nobody_waits(offered: Offered) -> None:
    only = configuration(level("all", 1_000_000, Queuing(8, 2, 5)), everyone_to="all")

    found = replay(offered, replace(SERVER, limit=100_000), [Change(0, only)])

    assert (found.outcome == EXECUTED).all()
    assert (found.dispatched_ns == offered.received_ns).all()
