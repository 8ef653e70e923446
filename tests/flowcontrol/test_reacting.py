"""Replays in which clients react: the same as the plain ones where nothing gives them a reason."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowcontrol.reactions import (
    CALLERS,
    CALLS,
    LIMITS,
    MANY_CORES,
    MASTER,
    POLICIES,
    QUEUINGS,
    SECOND,
    SERVER,
    USERS,
    WATCH,
    asked_once,
    behaviour,
    load,
    loads,
    one_level,
)
from flowcontrol.replaying import offered as offered_of
from flowcontrol.replaying import server as server_of
from flowcontrol.vectors import configured, scenarios, vector
from kubepostmortem.flowcontrol.clients import new_clients
from kubepostmortem.flowcontrol.configuration import Configuration, in_force
from kubepostmortem.flowcontrol.flows import DealtFlow
from kubepostmortem.flowcontrol.in_flight import InFlightLimits, InFlightServing
from kubepostmortem.flowcontrol.max_in_flight import replay_in_flight
from kubepostmortem.flowcontrol.objects import PriorityLevel, Queuing
from kubepostmortem.flowcontrol.offered import Offered
from kubepostmortem.flowcontrol.preparation import Preparation
from kubepostmortem.flowcontrol.processor import SHARING, new_processor, no_processor
from kubepostmortem.flowcontrol.reacting import Policy, Reacted, react
from kubepostmortem.flowcontrol.replay import Change, Serving, replay
from kubepostmortem.flowcontrol.replayed import Replayed
from kubepostmortem.flowcontrol.state import (
    ACTIVE,
    BUSY,
    BYPASS,
    EVENTS,
    EXECUTED,
    EXECUTING,
    NOWHERE,
    QUEUE_FULL,
    SEATS_USED,
    WAITING,
)

CORES = [0.0, MANY_CORES]
QUIET = 10 * SECOND  # until then no level borrows


def steady(name: str) -> bool:
    """Whether a scenario keeps its configuration, and levels borrow as `react` lets them."""
    told = vector(name)
    short = max(told["columns"]["t_ns"]) < QUIET
    scenario = told["scenario"]
    return not scenario.get("config_changes") and bool(scenario["borrowing_ticks"] or short)


STEADY = [n for n in scenarios() if not 60 <= int(n[:2]) < 70 and steady(n)]


def assert_same(found: Reacted, plain: Replayed) -> None:
    """Each request was refused, or executed at the same time."""
    executed = (plain.outcome == EXECUTED) | (plain.outcome == BYPASS)
    refused = plain.outcome[:, None] == QUEUE_FULL + np.arange(3)
    assert found.asked.all()
    assert ((found.answered | found.cut) == executed).all()
    assert (found.cut == plain.cut).all()
    assert (found.refused == refused).all()
    assert (found.started_ns[executed] == plain.dispatched_ns[executed]).all()
    assert (found.ended_ns == plain.ended_ns).all()
    assert flow_of_each(found.flow, found.flows) == flow_of_each(plain.flow, plain.flows)


def flow_of_each(flow: np.ndarray, flows: tuple[DealtFlow, ...]) -> list[DealtFlow | None]:
    return [None if one == NOWHERE else flows[one] for one in flow.tolist()]


@pytest.mark.parametrize("cores", CORES)
@pytest.mark.parametrize("name", STEADY)
def test_patient_clients_of_a_fast_server_get_what_they_got(name: str, cores: float) -> None:
    scenario, offered = vector(name)["scenario"], offered_of(vector(name))
    only, server = configured(scenario, scenario["use_default_objects"]), server_of(scenario)
    plain = replay(offered, server, [Change(0, only)])

    found = react(offered, server, only, behaviour(offered), cores)

    assert_same(found, plain)


def test_scenarios_are_compared() -> None:
    assert len(STEADY) > 20


@settings(max_examples=60, deadline=None)
@given(loads(), QUEUINGS, st.integers(1, 30))
def test_random_loads_get_what_they_got(
    offered: Offered, queuing: Queuing | None, seats: int
) -> None:
    only, server = one_level(queuing), replace(SERVER, limit=seats)

    plain = replay(offered, server, [Change(0, only)])

    assert_same(react(offered, server, only, behaviour(offered)), plain)


@settings(max_examples=60, deadline=None)
@given(loads(hasty=False), QUEUINGS, st.integers(1, 30))
def test_random_loads_of_a_fast_server_get_what_they_got(
    offered: Offered, queuing: Queuing | None, seats: int
) -> None:
    """Without deadlines: who is cut off at the instant that others are done comes after them."""
    only, server = one_level(queuing), replace(SERVER, limit=seats)

    plain = replay(offered, server, [Change(0, only)])

    assert_same(react(offered, server, only, behaviour(offered), MANY_CORES), plain)


@settings(max_examples=80, deadline=None)
@given(loads(), LIMITS, st.sampled_from(CORES))
def test_limits_in_flight_let_in_whom_they_let_in(
    offered: Offered, limits: InFlightLimits, cores: float
) -> None:
    timeout_ns = SERVER.request_timeout_ns
    plain = replay_in_flight(offered, limits.reads, limits.writes, timeout_ns)

    found = asked_once(offered, limits, cores)

    assert ((found.answered | found.cut) == plain.executed).all()
    assert (found.cut == plain.cut).all()
    assert (found.ended_ns == plain.ended_ns).all()


@pytest.mark.parametrize("cores", CORES)
def test_masters_pass_where_a_pool_is_full_and_take_no_place(cores: float) -> None:
    """A user has the place, two masters pass; it is free as soon as the user is done."""
    master, user = CALLERS.index(MASTER), 0
    offered = load(
        [0, 1, 2, SECOND], [SECOND, 9 * SECOND, 9 * SECOND, 5], callers=[user, master, master, user]
    )

    found = asked_once(offered, InFlightLimits(1, 1), cores)

    assert found.answered.all()
    assert found.started_ns.tolist() == [0, 1, 2, SECOND]


@pytest.mark.parametrize("cores", CORES)
def test_masters_take_a_place_that_is_free(cores: float) -> None:
    offered = load([0, 1], [SECOND, 1], callers=[CALLERS.index(MASTER), 0])

    found = asked_once(offered, InFlightLimits(1, 1), cores)

    assert found.answered.tolist() == [True, False]


def test_watches_that_are_being_sent_at_an_adjustment_are_served() -> None:
    """Nothing else lies ahead then: they have no deadline."""
    offered = load([QUIET - 9], [SECOND], CALLS.index(WATCH))

    found = asked_once(offered, one_level(Queuing(4, 2, 9)), cores=1.0)

    assert found.ended_ns.tolist() == [QUIET - 9 + SECOND]


def served(offered: Offered, policy: Policy, cores: float, tries: int) -> Serving:
    """A replay that came to its end."""
    preparation = Preparation(offered, SERVER)
    clients = new_clients(len(offered), 3)
    clients.tries[:] = tries
    if isinstance(policy, Configuration):
        serving, only = Serving(preparation, borrows=True, reloads=True), policy
    else:
        serving, only = InFlightServing(preparation, policy), Configuration({}, ())
        serving.let_masters_pass(clients)
    serving.act(clients, new_processor(cores, len(offered)) if cores else no_processor())
    serving.serve([Change(0, only)], 0)
    return serving


@settings(max_examples=100, deadline=None)
@given(loads(), POLICIES, st.sampled_from([0.0, 0.5, 3.0, MANY_CORES]), st.integers(0, 3))
def test_nothing_is_left_when_all_is_over(
    offered: Offered, policy: Policy, cores: float, tries: int
) -> None:
    serving = served(offered, policy, cores, tries)

    counters, processor = serving.state.counters, serving.processor.state
    assert (counters[:, [SEATS_USED, EXECUTING, WAITING, ACTIVE, BUSY]] == 0).all()
    assert serving.state.clock[EVENTS] == 0
    assert processor[SHARING] == 0
    standing = serving.preparation.watching().going_on
    assert (serving.watching.going_on == standing).all()


@settings(max_examples=100, deadline=None)
@given(loads(), POLICIES, st.sampled_from([0.0, 0.5, 3.0, MANY_CORES]), st.integers(0, 3))
def test_every_request_ends_once(
    offered: Offered, policy: Policy, cores: float, tries: int
) -> None:
    found = react(offered, SERVER, policy, behaviour(offered, tries), cores)

    times = found.refused.sum(axis=1)
    done = found.answered | found.cut
    assert found.asked.all()
    assert not (found.answered & found.cut).any()
    assert (times <= tries + 1).all()
    assert (done == (times <= tries)).all()
    assert (found.took_ns >= 0).all()
    assert (found.waited_ns >= 0).all()
    answered = found.answered
    executed_ns = (found.ended_ns - found.started_ns)[answered]
    assert (executed_ns >= offered.service_ns[answered]).all()
    assert (found.started_ns >= offered.received_ns)[done].all()
    waited_for_retries = (found.took_ns - found.waited_ns)[done]
    assert (waited_for_retries >= times[done] * SECOND).all()


@settings(max_examples=40, deadline=None)
@given(loads(), st.sampled_from([0.5, 1.0, 4.0]))
def test_without_limits_a_faster_server_is_later_for_nobody(offered: Offered, cores: float) -> None:
    slow, fast = (asked_once(offered, InFlightLimits(0, 0), n) for n in (cores, 2 * cores))

    assert (fast.ended_ns <= slow.ended_ns + len(offered)).all()


def test_users_are_told_apart() -> None:
    found = asked_once(load(range(6), 1), one_level(Queuing(64, 1, 9)))

    assert {found.flows[flow].flow.distinguisher for flow in found.flow} == {u.user for u in USERS}


def test_there_may_be_many_levels() -> None:
    """Each tells its own clients when to come back."""
    many = [PriorityLevel(f"level-{n}", exempt=False, shares=0) for n in range(2000)]
    only = in_force(
        [*one_level(None).priority_levels.values(), *many], one_level(None).flow_schemas
    )
    offered = load(range(40), SECOND)

    found = react(offered, SERVER, only, behaviour(offered, tries=3))

    assert found.answered.all()


def test_a_level_lends_half_of_what_it_may_where_seats_cannot_be_divided() -> None:
    """Exempt requests have seats of their own that the others may not borrow: nobody gets them."""
    known = one_level(None)
    shares = {"exempt": 10, "all": 15, "catch-all": 5}
    levels = [
        replace(known.priority_levels[name], shares=n, borrowing_limit_percent=0)
        for name, n in shares.items()
    ]
    levels[1] = replace(levels[1], lendable_percent=50)
    only = in_force(levels, known.flow_schemas)

    found = replay(load([], []), replace(SERVER, limit=30), [Change(0, only)])

    current = {level.priority_level: level.current for level in found.adjustments}
    assert current == {"exempt": 10, "all": 15 - 8 // 2, "catch-all": 5}
