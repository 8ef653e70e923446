"""Limits of requests in flight: were they set, reached, whom did they hurt, and what if."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from shutil import copyfile
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubepostmortem.ingest import ingest
from kubepostmortem.postmortem import Postmortem
from kubepostmortem.questions.flow_control import callers, other_limits
from kubepostmortem.questions.flow_control.what_if import WhatIf
from kubepostmortem.questions.question import Answer
from kubepostmortem.simulation.fitting import Fit
from kubepostmortem.simulation.simulation import GroupOutcome, Interval, Simulation
from kubepostmortem.store import Store
from planted import Storm, event, telemetry_storm, write_log
from planted_windows import plant_windows
from simulation.flow_control_evidence import IN_FLIGHT, flags, metric

BEGINS, ENDS = 150, 270
STORM = Storm(nodes=6, baseline_s=BEGINS, overload_s=ENDS - BEGINS, waves=(0.0,), shed=0.4)
EVICTION = {"subresource": "eviction", "namespace": "shop", "name": "a", "verb": "create"}

Plant = Callable[[Store], None]


def windows(store: Store, cluster: str = "prod") -> None:
    plant_windows(store, (0, BEGINS), (BEGINS, ENDS), (cluster,), others_stay=True)


@pytest.fixture(scope="module")
def stormy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of a small overload, and nothing but its audit log."""
    folder = tmp_path_factory.mktemp("storm")
    with Store.create(folder / "incident.duckdb") as store:
        evicted = [event(f"e{i}", received=200 + i, code=429, **EVICTION) for i in range(7)]
        log = write_log(folder / "audit.log", [*telemetry_storm(STORM), *evicted])
        ingest(store, [log], "prod")
        windows(store)
    return folder / "incident.duckdb"


@pytest.fixture
def asked(stormy: Path, tmp_path: Path) -> Callable[[Plant], Answer]:
    """Plant more evidence beside the audit log, and ask."""
    return lambda plant: ask(stormy, tmp_path / "more.duckdb", plant)


def ask(stormy: Path, database: Path, plant: Plant) -> Answer:
    with Store.create(Path(copyfile(stormy, database))) as store:
        plant(store)
    return Postmortem.open(database).ask("inflight-limits")


def in_flight(kind: str, *values: float) -> Plant:
    samples = [(BEGINS + 10 * n, value) for n, value in enumerate(values)]
    return lambda store: metric(store, IN_FLIGHT, samples, request_kind=kind, instance="a")


def without_fairness(store: Store) -> None:
    flags(
        store,
        enable_priority_and_fairness="false",
        max_requests_inflight="8",
        max_mutating_requests_inflight="4",
    )
    in_flight("readOnly", 8, 8, 5, 8)(store)
    in_flight("mutating", 1, 4, 2, 3)(store)


@pytest.fixture(scope="module")
def unfair(stormy: Path) -> Answer:
    """The answer where only limits in flight decided."""
    return ask(stormy, stormy.with_name("unfair.duckdb"), without_fairness)


def reached(answer: Answer) -> dict[str, tuple[float, float, bool]]:
    return {
        row["kind"]: (row["peak"], row["share_at_limit"], row["is_a_limit"])
        for row in answer.evidence["reached"]
    }


def test_without_fairness_each_limit_is_one(unfair: Answer) -> None:

    assert unfair.status == "answered"
    assert unfair.headline.startswith(
        "API Priority and Fairness was off, so --max-requests-inflight=8 and "
        "--max-mutating-requests-inflight=4 (set by flags) decided alone: they were full in 75% "
        "(read-only) and 25% (mutating) of the samples."
    )
    assert reached(unfair) == {"readOnly": (8, 0.75, True), "mutating": (4, 0.25, True)}
    json.dumps(dict(unfair.evidence))


def test_refusals_are_counted_by_group_and_evictions_apart(unfair: Answer, stormy: Path) -> None:

    with Store.open(stormy) as store:
        (refused,) = store.frame(
            """select count(*) from overload_requests
            where code = 429 and subresource is distinct from 'eviction'"""
        ).row(0)
        (culprit,) = store.frame(
            "select count(*) from overload_requests where code = 429 and component = 'otel-agent'"
        ).row(0)
    groups = {row["group"]: row["refused"] for row in unfair.evidence["groups"]}
    assert (sum(groups.values()), groups["culprit"]) == (refused, culprit)
    assert sum(row["refused"] for row in unfair.evidence["kinds"]) == refused
    assert unfair.evidence["refused_evictions"] == 7
    assert any("7 evictions" in caveat for caveat in unfair.caveats)
    assert "kubelet leases" in unfair.headline


def test_other_limits_are_tried_and_labelled(unfair: Answer) -> None:

    names = [one["name"] for one in unfair.evidence["simulations"]]
    assert names == ["as it was (8 + 4)", "half (4 + 2)", "double (16 + 8)", "four times (32 + 16)"]
    assert all(one["simulated"] for one in unfair.evidence["simulations"])
    assert {f.chart for f in unfair.figures} >= {"actual_against_what_if"}
    assert any(caveat.startswith("Simulated, not measured.") for caveat in unfair.caveats)
    assert any("not more capacity" in caveat for caveat in unfair.caveats)


def test_with_fairness_only_the_sum_is_a_limit(asked) -> None:
    def plant(store: Store) -> None:
        flags(store, max_requests_inflight="80", max_mutating_requests_inflight="40")
        in_flight("mutating", 47, 47)(store)
        for level, seats in (("workload-low", 90), ("system", 20), ("exempt", 50)):
            samples = [(BEGINS + 10, seats), (BEGINS + 20, seats // 2)]
            name = "apiserver_flowcontrol_current_executing_seats"
            metric(store, name, samples, priority_level=level, instance="a")

    answer = asked(plant)

    assert "count only as their sum, 120 seats for all priority levels: at most 110" in (
        answer.headline
    )
    assert reached(answer) == {"mutating": (47, 1.0, False), "seats": (110, 0.0, True)}


def test_what_is_not_known_is_said(asked) -> None:
    answer = asked(lambda store: None)

    assert "(not known to be set, so the defaults)" in answer.headline
    assert "no metrics tell" in answer.headline
    assert answer.confidence == "low"
    lacking = " ".join(one.evidence for one in answer.missing)
    assert "metrics" in lacking and "flags" in lacking and "objects" in lacking


def test_no_limits_at_all_are_compared_with_the_defaults(asked) -> None:
    def plant(store: Store) -> None:
        flags(
            store,
            enable_priority_and_fairness="false",
            max_requests_inflight="0",
            max_mutating_requests_inflight="0",
        )
        in_flight("readOnly", 900)(store)

    answer = asked(plant)

    names = [one["name"] for one in answer.evidence["simulations"]]
    assert names == ["as it was (0 + 0)", "the defaults (400 + 200)"]
    assert reached(answer)["readOnly"] == (900, 0.0, True)


def test_fairness_without_limits_breaks_nothing(asked) -> None:
    def plant(store: Store) -> None:
        flags(store, max_requests_inflight="0", max_mutating_requests_inflight="0")
        in_flight("readOnly", 9)(store)

    assert asked(plant).status == "answered"


def test_metrics_alone_tell_what_was_reached(store: Store) -> None:
    without_fairness(store)
    counter = [(0, 0), (BEGINS, 0), (BEGINS + 20, 50)]
    metric(store, "apiserver_dropped_requests_total", counter, request_kind="readOnly")
    windows(store)
    path = store.path
    store.close()

    answer = Postmortem.open(path).ask("inflight-limits")

    assert (answer.status, answer.evidence["groups"]) == ("answered", [])
    assert reached(answer)["readOnly"] == (8, 0.75, True)
    assert "50 requests were refused" in answer.headline
    assert answer.missing[0].evidence == "audit log of the overload"


def test_without_any_evidence_it_is_open(store: Store) -> None:
    windows(store)
    path = store.path
    store.close()

    answer = Postmortem.open(path).ask("inflight-limits")
    assert (answer.status, answer.confidence) == ("open", "none")


def test_of_several_clusters_the_one_that_is_replayed_is_named(asked) -> None:
    def plant(store: Store) -> None:
        store.run("insert or ignore into clusters values ('spare')")
        windows(store, "spare")

    answer = asked(plant)

    assert answer.evidence["cluster"] == "prod"
    assert any(
        "about prod" in caveat and "one of 2 clusters" in caveat for caveat in answer.caveats
    )


GOOD = Fit(1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
BAD = Fit(1.0, 0.5, 2.0, 40.0, 1.0, 1.0)


def tried(name: str, fit: Fit = GOOD, requests: int = 100, **shares: float) -> WhatIf:
    """A policy under which these shares of calls were answered, from that to all of them."""
    groups = tuple(
        GroupOutcome(group, requests, Interval(share, share, 1.0), {}, 0.0, 0.0, {})
        for group, share in shares.items()
    )
    return WhatIf(name, Simulation(name, False, groups, fit))


def test_a_replay_that_is_off_gives_no_verdict() -> None:
    said = other_limits.verdict([tried("as it was", BAD, a=0.5), tried("double", BAD, a=0.9)])
    assert said.startswith("On other values no verdict: ") and "40 points off" in said


def test_the_largest_change_of_another_group_is_told() -> None:
    before = tried("as it was", controllers=0.5, admins=0.9, culprit=0.1)
    said = other_limits.verdict([before, tried("double", controllers=0.8, admins=0.9, culprit=0.9)])
    assert said.startswith("Simulated, double instead would have had 80% (80.0% to 100%)")
    assert "controllers" in said


def test_small_changes_are_called_little() -> None:
    said = other_limits.verdict([tried("as it was", a=0.99), tried("double", a=0.985)])
    assert "changed little" in said and "98.5%" in said


def groups(rows: Sequence[tuple[str, int, int]]) -> pl.DataFrame:
    told: list[dict[str, Any]] = [
        {"group": name, "kind": "read", "requests": asked, "refused": lost, "failed": 0}
        for name, asked, lost in rows
    ]
    return callers.by_group(pl.DataFrame(told))


@given(
    st.lists(
        st.tuples(st.integers(0, 500), st.integers(0, 500)).map(lambda n: (max(n), min(n))),
        min_size=8,
        max_size=8,
    )
)
def test_who_is_hurt_is_no_culprit_and_lost_something(numbers: list[tuple[int, int]]) -> None:
    names = ("admins", "system:masters", "CoreDNS", "culprit", "others", "controllers", "x", "y")
    told = [(name, *two) for name, two in zip(names, numbers, strict=True) if two[0]]
    frame = groups(told or [("x", 1, 0)])

    lost = dict(callers.hurt(frame))

    assert "culprit" not in lost
    for row in frame.to_dicts():
        enough = row["requests"] >= 10 and row["refused"] >= 0.01 * row["requests"]
        assert (row["group"] in lost) == (enough and row["group"] != "culprit")
    assert callers.whom_it_hurt(frame, "an agent").endswith(".")
