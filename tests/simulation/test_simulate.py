"""Policies tried on a planted storm, whose truth under each of them is known."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from kubepostmortem.errors import MissingEvidence
from kubepostmortem.ingest import ingest
from kubepostmortem.questions.question import Inquiry
from kubepostmortem.simulation.load import Suspect
from kubepostmortem.simulation.outcomes import by_group
from kubepostmortem.simulation.policies import Wish, tried
from kubepostmortem.simulation.replaying import Replayable, replayable
from kubepostmortem.simulation.simulation import GroupOutcome, Simulation, simulate
from kubepostmortem.store import Store
from planted import at, write_log
from simulation.planted_calls import OTEL, calls, even, windows
from simulation.planted_storm import CORES, END_S, PERIOD_S, QUIET_S, SUSPECT, truth_under

OFF, DEFAULTS = Wish("off"), Wish("defaults")
PODS = {"verb": "list", "resource": "pods"}


def simulated(one: Replayable, wish: Wish) -> Simulation:
    return simulate(one.models, tried(wish, one.known))


def group(found: Simulation, name: str) -> GroupOutcome:
    known = found.group(name)
    assert known is not None
    return known


def test_the_fit_finds_the_server_of_the_storm(replay_of_storm: Replayable) -> None:
    fit = replay_of_storm.models.fit

    assert CORES / 1.5 <= fit.cores <= CORES * 1.5
    assert fit.holds
    assert fit.latency_factor < 1.2
    assert [one.period_s for one in replay_of_storm.models.scenarios] == [PERIOD_S]


def test_in_flight_limits_hurt_people_priority_and_fairness_spares_them(
    replay_of_storm: Replayable,
) -> None:
    off, defaults = (simulated(replay_of_storm, wish) for wish in (OFF, DEFAULTS))

    assert group(off, "admins").answered.likely < 0.8
    assert set(group(off, "admins").refused) == {"in-flight limit"}
    assert group(defaults, "admins").answered.low > 0.99
    assert set(group(defaults, "culprit").refused) <= {"queue-full", "time-out"}
    for found in (off, defaults):
        assert group(found, "kubelet leases").answered.low > 0.99
    worst = off.worst_bystander
    assert worst is not None and worst.group == "admins"
    assert off.decided and "admins" in off.verdict


@pytest.mark.parametrize("wish", [OFF, DEFAULTS], ids=lambda wish: wish.policy)
def test_a_simulation_tells_what_would_have_been(replay_of_storm: Replayable, wish: Wish) -> None:
    """The truth: the same clients, and what their requests really take, on 4 cores."""
    what = tried(wish, replay_of_storm.known)

    found, true = simulate(replay_of_storm.models, what), truth_under(what)

    for row in by_group(true, replay_of_storm.models.span).to_dicts():
        told = group(found, row["caller_group"])
        assert told.answered.likely == pytest.approx(row["answered"], abs=0.12)
        assert told.requests == pytest.approx(row["requests"], rel=0.1)


@pytest.mark.parametrize("wish", [OFF, DEFAULTS], ids=lambda wish: wish.policy)
def test_nothing_is_lost(replay_of_storm: Replayable, stormy: Store, wish: Wish) -> None:
    """But for the culprit, which asks as often as its answers let it, all calls are there."""
    loaded = stormy.frame(
        """select caller_group, count(*) from client_calls
        where received_at >= $begins_at and component <> 'otel-agent' group by all""",
        begins_at=at(QUIET_S),
    )

    replays = replay_of_storm.models.replayed(tried(wish, replay_of_storm.known))

    for outcome in replays.values():
        counted = by_group(outcome, replay_of_storm.models.span)
        others = counted.filter(pl.col("caller_group") != "culprit")
        assert dict(others.select("caller_group", "requests").rows()) == dict(loaded.rows())


def test_the_same_database_gives_the_same_answer(
    replay_of_storm: Replayable, stormy: Store
) -> None:
    again = replayable(Inquiry(stormy), "prod", SUSPECT)

    assert again.models.fit == replay_of_storm.models.fit
    assert simulated(again, OFF) == simulated(replay_of_storm, OFF)


def test_every_model_is_within_the_interval(replay_of_storm: Replayable) -> None:
    for one in simulated(replay_of_storm, OFF).groups:
        assert one.answered.low <= one.answered.likely <= one.answered.high
        assert {one.answered.low, one.answered.high} <= set(one.by_model.values())
        assert {"baseline", "fitted", "recorded"} <= set(one.by_model)


def test_without_a_suspect_nobody_is_the_culprit(read, store: Store) -> None:
    windows(store)
    read([*calls(*even(0, 300, 2), **OTEL, **PODS)])

    one = replayable(Inquiry(store), "prod", None)

    assert [found.group for found in simulated(one, Wish()).groups] == ["others"]
    assert one.models.scenarios[0].period_s is None


def test_calls_before_the_overload_are_replayed_but_do_not_count(read, store: Store) -> None:
    windows(store, overload=900, ends=1000)
    read([*calls(*even(0, 1100, 2), **OTEL, **PODS)])

    one = replayable(Inquiry(store), "prod", None)

    assert len(one.load.calls) == (600 + 100) / 2
    assert [found.requests for found in simulated(one, DEFAULTS).groups] == [50]


def test_without_a_baseline_there_is_a_replay_too(read, store: Store) -> None:
    windows(store)
    store.run("delete from incident where time_window = 'baseline'")
    read([*calls(*[(t, 200, 0.2) for t, _ in even(100, 300, 2)], **OTEL, **PODS)])

    found = simulated(replayable(Inquiry(store), "prod", Suspect("otel-agent")), OFF)

    assert group(found, "culprit").answered.likely == 1


def test_clusters_are_replayed_apart(store: Store, tmp_path: Path) -> None:
    for cluster, pace in (("here", 2), ("there", 4)):
        windows(store, cluster=cluster)
        log = write_log(tmp_path / f"{cluster}.log", calls(*even(0, 300, pace), **OTEL, **PODS))
        ingest(store, [log], cluster)

    counts = {
        cluster: simulated(replayable(Inquiry(store), cluster, None), OFF).groups[0].requests
        for cluster in ("here", "there")
    }

    assert counts == {"here": 100, "there": 50}


@pytest.mark.parametrize("spans", [(), ("baseline",)])
def test_without_an_overload_there_is_nothing_to_replay(
    read, store: Store, spans: tuple[str, ...]
) -> None:
    read([*calls(*even(0, 20, 2), **OTEL)])
    store.run(
        "delete from incident where not list_contains($spans, time_window)", spans=list(spans)
    )

    with pytest.raises(MissingEvidence, match="no overload"):
        replayable(Inquiry(store), "prod", None)


def test_an_overload_without_requests_is_missing_evidence(read, store: Store) -> None:
    windows(store, overload=1000, ends=2000)
    read([*calls(*even(0, 20, 2), **OTEL)])

    with pytest.raises(MissingEvidence, match="no requests"):
        replayable(Inquiry(store), "prod", None)


def test_the_storm_lasts_to_the_end_of_its_window(replay_of_storm: Replayable) -> None:
    assert (replay_of_storm.begins_at, replay_of_storm.ends_at) == (at(QUIET_S), at(END_S))
    assert replay_of_storm.load.complete
