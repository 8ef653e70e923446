"""Clients that poll: the period of their rounds, and the rounds that follow from it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubepostmortem.simulation.polls import periods_ns, polled

SECOND = 1_000_000_000
PODS, NODES = 0, 1


def rounds(
    *seconds: float, call: int = PODS, client: int = 1, code: int = 200, took_ms: float = 20.0
) -> pl.DataFrame:
    """Calls of one client for one thing."""
    count = len(seconds)
    return pl.DataFrame(
        {
            "received_ns": [round(s * SECOND) for s in seconds],
            "client": [client * 10 + call] * count,
            "call": [call] * count,
            "code": [code] * count,
            "latency_ms": [float(took_ms)] * count,
            "service_ms": [float(took_ms)] * count,
            "base_ms": [float(client)] * count,
        },
        schema_overrides={"code": pl.Int32},
    )


def together(*each: pl.DataFrame) -> pl.DataFrame:
    """Calls in order of time."""
    return pl.concat(each).sort("received_ns")


def every(period: float, count: int = 30, begins: float = 0.0) -> list[float]:
    return [begins + n * period for n in range(count)]


def periods(*each: pl.DataFrame) -> dict[int, float]:
    return {call: ns / SECOND for call, ns in periods_ns(together(*each)).items()}


def test_the_period_is_that_of_prompt_rounds() -> None:
    delayed = rounds(*every(70, 25, 1000), client=2, took_ms=60_000)

    assert periods(rounds(*every(10)), delayed) == {PODS: 10}


@pytest.mark.parametrize("code", [429, 500, 504])
def test_what_follows_an_unsuccessful_round_tells_nothing(code: int) -> None:
    assert periods(rounds(*every(10)), rounds(*every(2, 100), client=2, code=code)) == {PODS: 10}


def test_rounds_of_several_clients_tell_it_together() -> None:
    each = [rounds(*every(15, 6, begins=n), client=n) for n in range(4)]

    assert periods(*each) == {PODS: 15}
    assert periods(*each[:3]) == {}


def test_who_polls_unevenly_has_no_period() -> None:
    gaps = [1.0, 30.0, 4.0, 90.0, 11.0, 2.0] * 5

    assert periods(rounds(*[sum(gaps[:n]) for n in range(30)])) == {}


def test_no_calls_have_no_period() -> None:
    assert periods(rounds()) == {}


def test_each_call_has_its_own_period() -> None:
    assert periods(rounds(*every(10, 100)), rounds(*every(60, 22), call=NODES)) == {
        PODS: 10,
        NODES: 60,
    }


def test_a_call_that_is_hardly_answered_goes_by_the_others() -> None:
    failing = rounds(*every(75, 5), call=NODES, took_ms=60_000)

    assert periods(rounds(*every(15)), failing) == {PODS: 15, NODES: 15}


def test_a_few_rounds_that_contradict_are_believed() -> None:
    rare = rounds(*every(90, 6), call=NODES)

    assert periods(rounds(*every(15)), rare) == {PODS: 15}


def test_a_client_asks_in_each_round_while_it_is_there() -> None:
    calls = together(rounds(0, 10, 95), rounds(200, client=2), rounds(5, 44, client=3))

    found = polled(calls, {PODS: 10 * SECOND})

    spans = {
        client: (own["round"].to_list(), (own["received_ns"] // SECOND).to_list())
        for (client,), own in found.group_by("client", maintain_order=True)
    }
    assert spans == {
        10: (list(range(11)), list(range(0, 101, 10))),
        20: ([0], [200]),
        30: (list(range(5)), list(range(5, 46, 10))),
    }


def test_rounds_are_those_of_their_client_but_not_answered_yet() -> None:
    calls = together(rounds(0, 60), rounds(0, 60, call=NODES, client=2))

    found = polled(calls, {PODS: 20 * SECOND, NODES: 60 * SECOND})

    counts = found.group_by("call", "base_ms").len().sort("call").rows()
    assert counts == [(PODS, 1.0, 4), (NODES, 2.0, 2)]
    assert found.select("code", "latency_ms", "service_ms").null_count().row(0) == (6, 6, 6)
    assert found.columns == [*calls.columns, "round"]
    assert found.schema["code"] == calls.schema["code"]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(-0.05, 0.05), min_size=2, max_size=40), st.sampled_from([1.0, 15.0, 60.0])
)
def test_an_undisturbed_client_asks_as_often_as_it_did(jitter: Sequence[float], s: float) -> None:
    asked = rounds(*[1 + (n + off) * s for n, off in enumerate(jitter)])

    found = polled(asked, {PODS: round(s * SECOND)})

    assert len(found) == len(asked)
    times = found["received_ns"].to_list()
    assert all(after - before == round(s * SECOND) for before, after in pairwise(times))
