"""What a replay starts from: order of calls, polls, patience, service times by model."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubepostmortem.flowcontrol.state import NEVER, NOWHERE
from kubepostmortem.simulation.groups import TRIES, caller_groups
from kubepostmortem.simulation.scenario import Scenario, scenarios
from simulation.planted_loads import (
    BEGIN_NS,
    EXEC,
    GET,
    LIST,
    SECOND,
    WATCH,
    Row,
    load,
    row,
)

MS = 1_000_000


def scenario(*rows: Row, lag_s: float = 0.0) -> Scenario:
    (one,) = scenarios(load(*rows), lag_s)
    return one


def polls(*clients: int, every: float = 10.0, rounds: int = 30, **fields: object) -> list[Row]:
    """Lists of the culprit's clients, each begins a second after the one before."""
    return [
        row(n * every + client, "culprit", call=LIST, client=client, **fields)  # type: ignore[arg-type]
        for client in clients
        for n in range(rounds)
    ]


def patience(*rows: Row) -> list[int]:
    """Seconds, of calls in order of time."""
    return [int(ns) if ns == NEVER else int(ns) // SECOND for ns in _patience_ns(*rows)]


def _patience_ns(*rows: Row) -> list[int]:
    return [int(ns) for ns in scenario(*rows).behaviour.patience_ns]


def test_polls_come_after_what_arrives_by_itself_both_in_order() -> None:
    others = [row(t, client=100 + t) for t in range(0, 300, 7)]

    found = scenario(*polls(1, 2), *others)

    rounds, received = found.calls["round"].to_numpy(), found.calls["received_ns"].to_numpy()
    begin = found.behaviour.arrivals
    assert begin == len(others) + 2
    assert (rounds[:begin] == 0).all() and (rounds[begin:] > 0).all()
    assert (np.diff(received[:begin]) >= 0).all() and (np.diff(received[begin:]) >= 0).all()
    assert found.period_s == 10


def test_each_round_is_followed_by_the_next_of_its_client() -> None:
    found = scenario(*polls(1, 2, 3), row(5), row(15))

    calls, following = found.calls, found.behaviour.next_poll
    chains = {}
    for place in range(found.behaviour.arrivals):
        chain, at = [], place
        while at != NOWHERE:
            chain.append((calls["client"][at], calls["round"][at]))
            at = int(following[at])
        if calls["caller_group"][place] == "culprit":
            chains[calls["client"][place]] = chain
        else:
            assert len(chain) == 1
    assert chains == {client: [(client, n) for n in range(30)] for client in (1, 2, 3)}


def test_another_program_at_the_same_address_is_no_round_of_the_culprit() -> None:
    """Both are one client to the log, which tells them apart by their user agent."""
    others = [row(t, call=LIST, client=1, component="kubectl") for t in (3, 44, 200)]

    found = scenario(*polls(1), *others)

    followed = found.calls.filter(found.behaviour.next_poll != NOWHERE)
    assert followed["caller_group"].to_list() == ["culprit"] * 29


def test_streams_of_the_culprit_are_no_polls() -> None:
    watches = [row(t, "culprit", call=WATCH, client=9) for t in (0, 280)]

    found = scenario(*polls(1), *watches)

    assert found.calls["streams"].sum() == 2
    assert found.calls.filter(streams=True)["round"].to_list() == [0, 0]


def test_what_the_culprit_asks_without_a_period_arrives_as_recorded() -> None:
    seldom = [row(t, "culprit", call=GET, client=8) for t in (1, 2, 30, 31, 32, 90, 290)]

    found = scenario(*polls(1), *seldom)

    assert len(found.calls) == 30 + 7
    assert found.behaviour.arrivals == 1 + 7


def test_without_polls_all_calls_arrive_by_themselves() -> None:
    found = scenario(row(1), row(2, "culprit"), row(3))

    assert found.behaviour.arrivals == 3
    assert set(found.behaviour.next_poll.tolist()) == {NOWHERE}
    assert found.period_s is None


def test_clients_ask_again_as_often_as_their_library() -> None:
    found = scenario(row(1), row(2), lag_s=0.25)

    assert set(found.behaviour.tries.tolist()) == {TRIES}
    assert set(found.behaviour.lag_ns.tolist()) == {SECOND // 4}


@pytest.mark.parametrize("group", caller_groups(), ids=lambda group: group.name)
def test_each_group_has_its_patience(group) -> None:
    assert patience(row(1, group.name)) == [group.patience_s]


@pytest.mark.parametrize(
    ("latency_ms", "code", "seconds"),
    [(9_000, 200, 10), (10_001, 200, 60), (30_000, 504, 10), (30_000, None, 10)],
)
def test_who_got_an_answer_later_is_more_patient(
    latency_ms: float, code: int | None, seconds: int
) -> None:
    assert patience(row(1, "admins", latency_ms=latency_ms, code=code)) == [seconds]


@pytest.mark.parametrize("call", [WATCH, EXEC])
def test_streams_go_on_whatever_the_patience(call: int) -> None:
    assert patience(row(1, "admins", 50_000, call=call)) == [NEVER]


@pytest.mark.parametrize(("ended", "seconds"), [(20, 30), (19, 60)])
def test_many_calls_that_ended_alike_tell_when_the_culprit_hangs_up(
    ended: int, seconds: int
) -> None:
    gone = [row(t, "culprit", latency_ms=30_000.0, code=500) for t in range(ended)]

    assert set(patience(*gone)) == {seconds}


def test_hanging_up_of_others_says_nothing_of_the_culprit() -> None:
    gone = [row(t, latency_ms=30_000.0, code=500) for t in range(30)]

    assert patience(*gone, row(40, "culprit"))[-1] == 60


def test_service_times_are_as_in_quiet_times_or_as_recorded() -> None:
    found = scenario(row(1, base_ms=2.5, service_ms=40.0), row(2, base_ms=0.0, service_ms=0.0))

    assert found.base_ns.tolist() == [2_500_000, 1]
    assert found.recorded_ns.tolist() == [40 * MS, 1]


def test_what_was_not_served_took_as_long_as_alike_then_else_ever_else_in_quiet_times() -> None:
    refused = {"service_ms": None, "code": 429, "base_ms": 1.0}

    found = scenario(
        row(1, service_ms=10.0),
        row(2, service_ms=30.0),
        row(3, service_ms=80.0),
        row(4, **refused),
        row(20, service_ms=90.0),
        row(30, **refused),
        row(31, "admins", **refused),
    )

    told = [ns // MS for ns in found.recorded_ns]
    assert told == [10, 30, 80, 30, 90, (30 + 80) // 2, 1]


def test_rounds_take_as_long_as_recorded_ones_at_that_time() -> None:
    """Each round took a millisecond longer than the one before; two rounds of a client are lost."""
    rows = [row(n * 10.0, "culprit", float(n), call=LIST) for n in range(40) if n not in (20, 21)]

    found = scenario(*rows)

    at = dict(zip(found.calls["round"].to_list(), found.recorded_ns // MS, strict=True))
    assert (at[1], at[39], at[19]) == (1, 39, 19)
    assert at[20] == at[21] == 18  # the median of all


def test_each_api_server_is_replayed_by_itself() -> None:
    rows = [row(n, apiserver=f"cp-{n % 3}", client=n) for n in range(10)]

    found = scenarios(load(*rows))

    assert sorted(len(one.calls) for one in found) == [3, 3, 4]
    assert all(one.calls["apiserver"].n_unique() == 1 for one in found)


def test_times_count_from_a_whole_second() -> None:
    found = scenario(row(5.75), row(6.25))

    assert found.begins_ns == BEGIN_NS + 5 * SECOND
    offered = found.offered(found.base_ns)
    assert offered.received_ns.tolist() == [750 * MS, 1250 * MS]


def test_a_watch_that_is_open_goes_on_to_the_end() -> None:
    found = scenario(
        row(0, call=WATCH, watch_ms=None), row(1, call=WATCH, watch_ms=2_000.0), row(60)
    )

    assert found.offered(found.base_ns).watch_ns.tolist()[:2] == [60 * SECOND, 2 * SECOND]


def test_no_calls_are_no_scenario() -> None:
    assert scenarios(load()) == []


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(0, 400),
            st.sampled_from(["culprit", "others", "admins"]),
            st.sampled_from([LIST, GET, WATCH]),
            st.integers(1, 4),
            st.sampled_from([200, 429, 504, None]),
            st.sampled_from(["", "a"]),
        ),
        min_size=1,
        max_size=150,
    )
)
def test_nobody_but_polling_clients_is_changed(rows: list[tuple[object, ...]]) -> None:
    made = [
        row(t, group, call=call, client=client * 10 + call, code=code, apiserver=server)  # type: ignore[arg-type]
        for t, group, call, client, code, server in rows
    ]

    found = scenarios(load(*made))

    def others(frames: list) -> list:
        return sorted(
            one
            for frame in frames
            for one in frame.filter(~(frame["caller_group"] == "culprit"))
            .select("apiserver", "received_ns", "caller_group", "call")
            .rows()
        )

    assert others([one.calls for one in found]) == others([load(*made).calls])
    for one in found:
        following = one.behaviour.next_poll[one.behaviour.next_poll != NOWHERE]
        assert len(set(following.tolist())) == len(following)
        assert (following >= one.behaviour.arrivals).all()
        assert len(following) == len(one.calls) - one.behaviour.arrivals
