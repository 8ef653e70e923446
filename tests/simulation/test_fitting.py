"""How many cores a server had: planted ones are found again, and what a fit is worth is told."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubepostmortem.flowcontrol.state import REASONS
from kubepostmortem.simulation.fitting import GRID, Fit, error_of, fit
from kubepostmortem.simulation.models import fitted, replay_all
from kubepostmortem.simulation.outcomes import Span, by_group
from kubepostmortem.simulation.policies import Tried, Wish, tried
from kubepostmortem.simulation.recorded import Recorded
from kubepostmortem.simulation.scenario import Scenario, scenarios
from planted import at
from simulation.planted_loads import (
    AGENT,
    LIST,
    NODE,
    RENEW,
    arrivals,
    known,
    load,
    row,
)

SECONDS = 120.0
SPAN = Span.of(at(0), at(SECONDS))


def busy(cores: float) -> list[Scenario]:
    """Leases, people and lists, which together are too much for so many cores for a while.

    The lists are 90 % of the cores' time, and half as much again between 40 and 70 s.
    """
    times = arrivals(9 * cores, 0, SECONDS) + arrivals(4.5 * cores, 40, 70, seed=2)
    rows = [
        *(row(t, "culprit", 100.0, call=LIST, caller=AGENT, client=n) for n, t in enumerate(times)),
        *(
            row(t, "kubelet leases", 5.0, call=RENEW, caller=NODE, client=n)
            for n, t in enumerate(arrivals(10, 0, SECONDS, seed=3))
        ),
        *(row(t, "admins", 20.0, client=n) for n, t in enumerate(arrivals(1, 0, SECONDS, seed=4))),
    ]
    return scenarios(load(*rows))


def log_of(calls: pl.DataFrame) -> Recorded:
    """What the log would show of calls that came to these ends."""
    by = by_group(calls.filter(~pl.col("streams")), SPAN).with_columns(
        refused=pl.sum_horizontal(*REASONS)
    )
    return Recorded(
        by.select(
            "caller_group",
            "tries",
            "refused",
            answered=(pl.col("answered") * pl.col("requests")).round().cast(pl.Int64),
            p50_ms=pl.col("service_p50_s") * 1e3,
            p90_ms=pl.col("service_p90_s") * 1e3,
            calls="requests",
        ),
        pl.DataFrame(schema={"interval_ns": pl.Int64, "executing": pl.Float64}),
    )


def fit_to(cores: float, policy: Tried, load_for: float | None = None) -> Fit:
    """The fit to a log of a server with so many cores, and a load for as many or others."""
    each = busy(load_for or cores)
    base = [one.base_ns for one in each]
    return fitted(each, SPAN, log_of(replay_all(each, policy, base, cores)), policy)


def by_groups(**answered: float) -> pl.DataFrame:
    """Outcomes of groups with 100 calls each, an answered part of them; one try, 10 ms each."""
    count = len(answered)
    return pl.DataFrame(
        {
            "caller_group": list(answered),
            "requests": [100] * count,
            "answered": list(answered.values()),
            "executed": [round(100 * part) for part in answered.values()],
            "service_p50_s": [0.01] * count,
            "service_p90_s": [0.02] * count,
            **{reason: [0] * count for reason in REASONS},
            "tries": [100] * count,
        }
    )


def shown(**answered: float | None) -> Recorded:
    """A log of groups with 100 calls each; None: all were answered, that there is no such thing."""
    count = len(answered)
    known_ms = [None if part is None else 10.0 for part in answered.values()]
    by = pl.DataFrame(
        {
            "caller_group": list(answered),
            "tries": [100] * count,
            "refused": [0] * count,
            "answered": [round(100 * (1 if part is None else part)) for part in answered.values()],
            "p50_ms": known_ms,
            "p90_ms": [None if ms is None else 2 * ms for ms in known_ms],
            "calls": [100] * count,
        },
        schema_overrides={"p50_ms": pl.Float64, "p90_ms": pl.Float64},
    )
    return Recorded(by, pl.DataFrame())


@pytest.mark.parametrize("cores", [1.5, 3.0, 8.0])
@pytest.mark.parametrize("policy", ["actual", "off"])
def test_planted_cores_are_found_again(cores: float, policy: str) -> None:
    found = fit_to(cores, tried(Wish(policy), known()))

    assert cores / 1.5 <= found.cores <= cores * 1.5
    assert found.fewest_cores <= found.cores <= found.most_cores
    assert found.holds
    assert found.shed_points < 5
    assert found.latency_factor < 1.3


def test_of_a_server_that_was_never_congested_only_the_least_is_known() -> None:
    found = fit_to(64.0, tried(Wish(), known()), load_for=2.0)

    assert found.holds
    assert found.cores >= 16
    assert found.fewest_cores < found.cores <= found.most_cores


def test_a_log_that_no_cores_explain_gives_no_verdict() -> None:
    """As if half of all tries had been refused, of a load that a large server has room for."""
    log = log_of(replay_all(busy(2.0), tried(Wish(), known()), [busy(2.0)[0].base_ns], 64.0))
    refused = log.by_group.with_columns(refused=pl.col("tries") // 2)

    found = fitted(busy(2.0), SPAN, replace(log, by_group=refused), tried(Wish(), known()))

    assert not found.holds


@pytest.mark.parametrize(
    ("shed", "answered", "holds"),
    [(10.0, 10.0, True), (10.1, 0.0, False), (0.0, 10.1, False), (0.0, 0.0, True)],
)
def test_a_fit_holds_up_to_ten_points(shed: float, answered: float, holds: bool) -> None:
    assert Fit(2.0, 1.0, 4.0, shed, answered, 9.0).holds is holds


def test_whom_the_replay_starves_counts_against_it() -> None:
    """None of their calls executes in the replay; in the log all were answered."""
    error = error_of(by_groups(admins=0.0, others=1.0), shown(admins=1.0, others=1.0))

    assert error.answered == (-1.0, 0.0)


def test_whom_the_log_shows_starved_counts_too() -> None:
    error = error_of(by_groups(admins=1.0), shown(admins=0.0))

    assert error.answered == (1.0,)


def test_how_the_culprit_fares_does_not_count() -> None:
    assert error_of(by_groups(culprit=0.0), shown(culprit=1.0)).answered == ()


def test_groups_of_which_nothing_succeeded_have_no_service_times() -> None:
    """Everything they ask for is not there."""
    error = error_of(by_groups(others=1.0, admins=1.0), shown(others=None, admins=1.0))

    assert error.ratios == (0.0, 0.0)
    assert error.answered == (0.0, 0.0)


def test_groups_that_hardly_called_do_not_count() -> None:
    few = shown(admins=0.0)

    error = error_of(
        by_groups(admins=1.0), replace(few, by_group=few.by_group.with_columns(calls=19))
    )

    assert error.answered == ()


def test_an_empty_log_is_off_by_nothing() -> None:
    empty = Recorded(shown(admins=1.0).by_group.clear(), pl.DataFrame())

    found = fit(lambda _: by_groups(admins=1.0).clear(), empty)

    assert (found.shed_points, found.answered_points, found.latency_factor) == (0, 0, 1)
    assert empty.refused_share == 0


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(GRID))
def test_the_least_loss_wins(cores: float) -> None:
    """Service times grow as cores get fewer; the log has those of so many."""

    def replayed(number: float) -> pl.DataFrame:
        return by_groups(admins=1.0).with_columns(
            service_p50_s=0.01 * cores / number, service_p90_s=0.02 * cores / number
        )

    found = fit(replayed, shown(admins=1.0))

    assert found.cores == cores
    assert found.latency_factor == pytest.approx(1)
