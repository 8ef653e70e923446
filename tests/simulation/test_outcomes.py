"""What a replay came to: calls in time, refusals by reason, of the calls of a span."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from kubepostmortem.flowcontrol.in_flight import InFlightLimits
from kubepostmortem.flowcontrol.reacting import react
from kubepostmortem.flowcontrol.state import REASONS
from kubepostmortem.simulation.groups import caller_groups
from kubepostmortem.simulation.outcomes import Span, by_group, outcomes
from kubepostmortem.simulation.scenario import scenarios
from planted import at
from simulation.planted_loads import BEGIN_NS, EXEC, LIST, SECOND, SERVER, WATCH, Row, load, row

NO_LIMITS = InFlightLimits(0, 0)
ALL = Span.of(at(0), at(10_000))


def replayed(*rows: Row, limits: InFlightLimits = NO_LIMITS, cores: float = 0.0) -> pl.DataFrame:
    (one,) = scenarios(load(*rows))
    return outcomes(one, react(one.offered(one.base_ns), SERVER, limits, one.behaviour, cores))


def summed(calls: pl.DataFrame, span: Span = ALL) -> dict[str, dict[str, object]]:
    return {str(one["caller_group"]): one for one in by_group(calls, span).to_dicts()}


def test_answers_after_patience_are_too_late() -> None:
    """Both take 30 s: a person gives up after 10 s, an informer does not."""
    calls = replayed(row(1, "admins", 30_000, latency_ms=1.0), row(2, "others", 30_000))

    assert calls.select("caller_group", "in_time", "took_s").rows() == [
        ("admins", False, 10.0),
        ("others", True, 30.0),
    ]


def test_times_are_of_the_first_try_and_of_executing() -> None:
    calls = replayed(row(1.5, took_ms=250.0))

    told = calls.select("at_ns", "service_s", "waited_s", "took_s", "executed").row(0)
    assert told == (BEGIN_NS + 3 * SECOND // 2, 0.25, 0.0, 0.25, True)


def test_refusals_are_counted_by_reason_and_tries_with_them() -> None:
    """One place, taken for 2.5 s: the other asks at 0.1, 1.1 and 2.1 s in vain."""
    calls = replayed(row(0, took_ms=2_500.0), row(0.1, client=2), limits=InFlightLimits(1, 1))

    assert calls["concurrency-limit"].to_list() == [0, 3]
    assert calls["in_time"].to_list() == [True, True]
    found = summed(calls)["others"]
    assert (found["requests"], found["executed"], found["tries"]) == (2, 2, 5)
    assert [found[reason] for reason in REASONS] == [0, 3, 0]


def test_who_never_gets_through_was_not_answered() -> None:
    rows = [row(0, took_ms=59_000.0), *(row(0.1, client=n) for n in range(2, 5))]

    found = summed(replayed(*rows, limits=InFlightLimits(1, 1)))["others"]

    assert (found["answered"], found["executed"]) == (0.25, 1)
    assert found["concurrency-limit"] == 3 * 11


def test_only_calls_first_tried_in_the_span_count() -> None:
    calls = replayed(*(row(t, client=t) for t in range(10)))

    found = summed(calls, Span.of(at(3), at(7)))

    assert found["others"]["requests"] == 4


def test_groups_come_in_the_order_of_reports() -> None:
    names = [group.name for group in caller_groups()]

    calls = replayed(*(row(t, name) for t, name in enumerate(reversed(names))))

    assert by_group(calls, ALL)["caller_group"].to_list() == names


def test_nothing_sums_up_to_nothing() -> None:
    found = by_group(replayed(row(1)), Span.of(at(100), at(200)))

    assert found.is_empty()
    assert {"caller_group", "answered", "tries", *REASONS} <= set(found.columns)


def test_where_nothing_executed_service_is_not_known() -> None:
    rows = [row(0, took_ms=59_000.0), row(0.1, "admins", client=2)]

    found = summed(replayed(*rows, limits=InFlightLimits(1, 1)))["admins"]

    assert (found["answered"], found["service_p50_s"]) == (0.0, None)


@pytest.mark.parametrize("call", [WATCH, EXEC])
def test_streams_are_answered_once_they_began(call: int) -> None:
    calls = replayed(row(1, "admins", 100.0, call=call), limits=InFlightLimits(1, 1))

    assert calls.select("streams", "in_time").row(0) == (True, True)


def test_rounds_that_a_slow_server_leaves_no_time_for_are_not_asked() -> None:
    """One client polls every 10 s for 290 s, but an answer takes 25 s, after which it is late."""
    rows = [row(n * 10.0, "culprit", call=LIST, base_ms=25_000.0) for n in range(30)]

    calls = replayed(*rows)

    gaps = np.diff(calls["at_ns"].to_numpy()) / SECOND
    assert gaps.tolist() == [25] * 12


def test_a_span_is_told_as_iso_times_of_utc() -> None:
    span = Span.of(at(0), at(1.5))

    assert span.iso == (at(0).isoformat(), at(1.5).isoformat())
    assert span.begins_ns == BEGIN_NS
    assert Span.of(datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 2)).begins_ns == 0
