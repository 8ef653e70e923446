"""Three models of service times: what each makes of a policy, and how they relate."""

from __future__ import annotations

import polars as pl
import pytest

from kubepostmortem.flowcontrol.in_flight import InFlightLimits
from kubepostmortem.simulation.fitting import Fit
from kubepostmortem.simulation.models import BASELINE, FITTED, RECORDED, Models, replay_all
from kubepostmortem.simulation.outcomes import Span, by_group
from kubepostmortem.simulation.policies import Tried
from kubepostmortem.simulation.recorded import Recorded
from kubepostmortem.simulation.scenario import INTERVAL, scenarios
from planted import at
from simulation.planted_loads import BEGIN_NS, LIST, SECOND, SERVER, WATCH, Row, load, row

NO_LIMITS = Tried("off", InFlightLimits(0, 0), SERVER)
SLOW_MS, BASE_MS = 1_000.0, 100.0


def rows(**fields: object) -> list[Row]:
    """A second for what takes 0.1 s in quiet times, ten a second."""
    told = {"service_ms": SLOW_MS, "base_ms": BASE_MS} | fields
    return [row(n / 10, latency_ms=SLOW_MS, client=n, **told) for n in range(600)]  # type: ignore[arg-type]


def models(
    *each: Row, cores: float = 64.0, executing: float = 10.0, begins: float = 0, ends: float = 60
) -> Models:
    """Models of a load; executing: in the log, at any time of the span."""
    first = int(begins) // 10 * 10
    starts = [BEGIN_NS + n * SECOND for n in range(first, int(ends), 10)]
    frame = pl.DataFrame({"interval_ns": starts, "executing": [executing] * len(starts)})
    log_shows = Recorded(pl.DataFrame(), frame)
    fit = Fit(cores, cores, cores, 0.0, 0.0, 1.0)
    return Models(scenarios(load(*each)), Span.of(at(begins), at(ends)), log_shows, fit)


def service_s(calls: pl.DataFrame, begins: float = 0, ends: float = 60) -> float:
    """Mean time executing, of calls first tried in a span."""
    span = Span.of(at(begins), at(ends))
    return float(calls.filter(span.holds("at_ns"), "executed")["service_s"].mean())  # type: ignore[arg-type]


def test_in_quiet_times_everything_takes_its_time() -> None:
    found = models(*rows()).replayed(NO_LIMITS)

    assert service_s(found[BASELINE]) == pytest.approx(0.1)
    assert service_s(found[FITTED]) == pytest.approx(0.1)


def test_fewer_cores_than_work_make_it_longer() -> None:
    """One core's worth of work, evenly: fewer cores never catch up."""
    slow, slower = (models(*rows(), cores=c).replayed(NO_LIMITS)[FITTED] for c in (0.9, 0.5))

    assert 0.1 < service_s(slow) < service_s(slower)


def test_as_many_requests_executing_take_as_long_as_recorded() -> None:
    """The fitted model has one request executing all the time, so the log does, too."""
    found = models(*rows(), executing=1.0).replayed(NO_LIMITS)

    assert service_s(found[RECORDED]) == pytest.approx(1.0)


@pytest.mark.parametrize(("executing", "expected_s"), [(2.0, 0.55), (10.0, 0.19), (0.5, 1.9)])
def test_what_it_took_beyond_quiet_times_goes_with_how_many_execute(
    executing: float, expected_s: float
) -> None:
    """Half as many executing: half of the 0.9 s beyond 0.1 s."""
    found = models(*rows(), executing=executing).replayed(NO_LIMITS)

    assert service_s(found[RECORDED]) == pytest.approx(expected_s)


def test_the_recorded_model_is_never_quicker_than_quiet_times() -> None:
    found = models(*rows(service_ms=10.0)).replayed(NO_LIMITS)

    assert service_s(found[RECORDED]) == pytest.approx(0.1)


def test_many_times_as_many_executing_count_as_ten_times_as_many() -> None:
    found = models(*rows(), executing=0.001).replayed(NO_LIMITS)

    assert service_s(found[RECORDED]) == pytest.approx(0.1 + 10 * 0.9)


def test_where_a_span_cuts_an_interval_both_sides_are_of_the_span() -> None:
    """The log's interval holds 2 of 10 s, in which a fifth of its requests executed."""
    found = models(*rows(), begins=28, executing=1.0)
    frame = found.log_shows.executing
    cut = frame.with_columns(
        executing=pl.when(pl.col("interval_ns") == BEGIN_NS + 20 * SECOND)
        .then(0.2)
        .otherwise("executing")
    )

    calls = Models(found.scenarios, found.span, Recorded(pl.DataFrame(), cut), found.fit).replayed(
        NO_LIMITS
    )[RECORDED]

    assert service_s(calls, 28, 30) == pytest.approx(1.0)
    assert service_s(calls, 30, 60) == pytest.approx(1.0)


def test_where_nothing_executed_in_the_log_times_stay_as_recorded() -> None:
    found = models(*rows(), executing=0.0).replayed(NO_LIMITS)

    assert service_s(found[RECORDED]) == pytest.approx(1.0)


def test_streams_do_not_count_as_executing() -> None:
    watches = [row(n, call=WATCH, took_ms=5_000.0, client=n, base_ms=5_000.0) for n in range(60)]

    with_, without = (
        models(*each, executing=2.0).replayed(NO_LIMITS)[RECORDED].filter(~pl.col("streams"))
        for each in ([*rows(), *watches], rows())
    )

    assert service_s(with_) == pytest.approx(service_s(without))


def test_the_fit_is_tried_at_both_ends() -> None:
    each = models(*rows())
    wide = Models(each.scenarios, each.span, each.log_shows, Fit(1.0, 0.5, 2.0, 0, 0, 1))

    found = wide.replayed(NO_LIMITS)

    fewest, most = found["fitted, 0.5 cores"], found["fitted, 2 cores"]
    assert service_s(fewest) > service_s(found[FITTED]) >= service_s(most)


def test_api_servers_do_not_slow_each_other() -> None:
    """Each has the work of half a core, and one core."""
    each = rows()
    for n, one in enumerate(each):
        one["apiserver"] = f"cp-{n % 2}"

    alone = replay_all(scenarios(load(*each)), NO_LIMITS, _base(each), 0.5)
    assert len(alone) == 600
    assert service_s(alone) == pytest.approx(0.2, rel=0.1)


def _base(each: list[Row]) -> list:
    return [one.base_ns for one in scenarios(load(*each))]


def test_all_models_replay_the_same_calls() -> None:
    polls = [row(n * 5.0, "culprit", call=LIST, base_ms=20.0) for n in range(30)]

    found = models(*rows(), *polls, ends=200).replayed(NO_LIMITS)

    counts = {
        name: by_group(calls, Span.of(at(0), at(60)))["requests"].to_list()
        for name, calls in found.items()
    }
    assert all(numbers == [600, 12] for numbers in counts.values()), counts
    assert INTERVAL == 10 * SECOND
