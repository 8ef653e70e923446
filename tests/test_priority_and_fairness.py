"""API Priority and Fairness: what was in force, where requests fell, what would have helped."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest

from kubepostmortem.flowcontrol.manifests import read_manifests
from kubepostmortem.ingest import ingest
from kubepostmortem.postmortem import Postmortem
from kubepostmortem.questions.flow_control import policies
from kubepostmortem.questions.flow_control.crowding import Crowding
from kubepostmortem.questions.question import Answer
from kubepostmortem.store import Store
from planted import Storm, telemetry_storm, write_log
from planted_windows import plant_windows
from simulation.flow_control_evidence import (
    CURRENT,
    DISPATCHED,
    REJECTED,
    default_objects,
    exported,
    flags,
    level,
    metric,
    schema,
)
from test_inflight_limits import BAD, STORM, tried

BEGINS, ENDS = 150, 270
LOW = {"flow_schema": "service-accounts", "priority_level": "workload-low", "instance": "a"}
Plant = Callable[[Store], None]


def nothing(_: Store) -> None:
    """No evidence but the audit log."""


def database(folder: Path, storm: Storm) -> Path:
    path = folder / "incident.duckdb"
    with Store.create(path) as store:
        ingest(store, [write_log(folder / "audit.log", telemetry_storm(storm))], "prod")
        plant_windows(store, (0, BEGINS), (BEGINS, ENDS))
    return path


def ask(stormy: Path, name: str, plant: Plant) -> Answer:
    path = Path(copyfile(stormy, stormy.with_name(name)))
    with Store.create(path) as store:
        plant(store)
    return Postmortem.open(path).ask("priority-and-fairness")


@pytest.fixture(scope="module")
def stormy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return database(tmp_path_factory.mktemp("storm"), STORM)


@pytest.fixture(scope="module")
def usual(stormy: Path) -> Answer:
    """The answer from the audit log alone."""
    return ask(stormy, "usual.duckdb", nothing)


def fell(answer: Answer, component: str) -> set[str]:
    rows = answer.evidence["placements"]
    return {row["priority_level"] for row in rows if row["component"] == component}


def test_the_culprit_and_its_victims_are_placed(usual: Answer) -> None:
    assert usual.status == "answered"
    assert fell(usual, "otel-agent") == {"workload-low"}
    assert fell(usual, "kubelet") <= {"system", "node-high"}
    assert "otel-agent fell into workload-low (FlowSchema service-accounts)" in usual.headline
    assert [row["component"] for row in usual.evidence["culprit"]] == ["otel-agent"]


def test_the_fence_is_in_the_evidence_and_on_the_page(usual: Answer) -> None:
    told = usual.evidence["fence"]
    (made,) = read_manifests(told["manifest"]).priority_levels

    assert made.name.startswith("fence-otel-agent")
    assert {row["component"] for row in told["held"]} == {"otel-agent"}
    assert told["reasons"] and told["hazards"]
    assert any("The fence" in table.says or "A fence" in table.says for table in usual.tables)
    json.dumps(dict(usual.evidence))


def test_policies_are_tried_once_each(usual: Answer) -> None:
    names = [one["name"] for one in usual.evidence["simulations"]]

    assert names[:2] == ["as it was", "Priority and Fairness off"]
    assert len(names) == 3 and names[2].startswith("a fence of ")
    assert any("default objects" in caveat for caveat in usual.caveats)


def test_what_is_missing_is_named(usual: Answer) -> None:
    lacking = " ".join(one.evidence for one in usual.missing)

    assert "as none are in the evidence" in usual.headline
    assert "metrics" in lacking and "flags" in lacking and "objects" in lacking
    assert usual.confidence in ("low", "medium")


def test_where_it_was_off_requests_would_have_fallen(stormy: Path) -> None:
    answer = ask(
        stormy,
        "off.duckdb",
        lambda store: flags(
            store,
            enable_priority_and_fairness="false",
            max_requests_inflight="8",
            max_mutating_requests_inflight="4",
        ),
    )

    assert answer.evidence["apf"] is False
    assert answer.headline.startswith("API Priority and Fairness was off")
    assert "otel-agent would have fallen into workload-low" in answer.headline
    names = [one["name"] for one in answer.evidence["simulations"]]
    assert names[:2] == ["as it was", "the default objects"]
    assert not any(figure.chart == "seats_per_level" for figure in answer.figures)


def test_objects_metrics_and_disagreements_are_shown(stormy: Path, tmp_path: Path) -> None:
    def plant(store: Store) -> None:
        exported(store, tmp_path, *default_objects(33), level("pen"), schema("pen", "pen"))
        flags(store, max_requests_inflight="80", max_mutating_requests_inflight="40")
        times = range(0, ENDS + 1, 10)
        metric(store, CURRENT, [(t, 3) for t in times], priority_level="pen", instance="a")
        seats = "apiserver_flowcontrol_current_executing_seats"
        used = [(t, 3 if t >= 210 else 1) for t in times]
        metric(store, seats, used, priority_level="pen", instance="a")
        pen = {"flow_schema": "pen", "priority_level": "pen", "instance": "a"}
        metric(store, DISPATCHED, [(t, 100 * max(0, t - BEGINS)) for t in times], **pen)
        metric(store, REJECTED, [(t, max(0, t - BEGINS)) for t in times], reason="time-out", **pen)

    answer = ask(stormy, "pen.duckdb", plant)

    assert "otel-agent fell into pen (FlowSchema pen), which it had for itself" in answer.headline
    (row,) = [row for row in answer.evidence["levels"] if row["priority_level"] == "pen"]
    assert row["full_share"] == pytest.approx(0.5)
    assert answer.evidence["refused_by_metrics"] == {"time-out": pytest.approx(120)}
    assert any(caveat.startswith("Priority level pen: ") for caveat in answer.caveats)
    charts = [figure.chart for figure in answer.figures]
    assert charts == ["actual_against_what_if", "seats_per_level", "flow_outcomes"]
    shown = next(
        table.rows for table in answer.tables if table.says.startswith("What was in force")
    )
    assert "FlowSchema pen" in shown["setting"].to_list()
    assert "FlowSchema probes" not in shown["setting"].to_list()  # nobody fell into it


def test_without_a_cause_there_is_no_fence(tmp_path: Path) -> None:
    calm = Storm(culprit=None, nodes=4, baseline_s=BEGINS, overload_s=ENDS - BEGINS, shed=0.0)
    answer = ask(database(tmp_path, calm), "calm.duckdb", nothing)

    assert answer.status == "answered"
    assert answer.evidence["fence"] is None
    assert any("culprit" in one.evidence for one in answer.missing)
    assert "No request was refused." in answer.headline


def test_without_an_audit_log_it_is_open(store: Store) -> None:
    path = store.path
    store.close()

    answer = Postmortem.open(path).ask("priority-and-fairness")
    assert (answer.status, answer.missing[0].evidence) == ("open", "requests")


def test_limits_that_contradict_fairness_do_not_fail(stormy: Path) -> None:
    answer = ask(
        stormy,
        "zero.duckdb",
        lambda store: flags(store, max_requests_inflight="0", max_mutating_requests_inflight="0"),
    )
    assert answer.status in ("open", "answered")


@pytest.mark.parametrize(
    ("width", "hand", "nominal", "fills"),
    [(10, 6, 49, True), (8, 6, 49, False), (1, 6, 5, False), (3, 1, 3, True)],
)
def test_a_flow_that_fills_a_level(width: int, hand: int, nominal: int, fills: bool) -> None:
    assert Crowding("an agent", "workload-low", width, hand, nominal).fills is fills


def test_policies_that_keep_and_lose_are_told_apart() -> None:
    kept = tried("as it was", admins=0.99, controllers=0.98)
    lost = tried("Priority and Fairness off", admins=0.4, controllers=0.7)

    assert policies.verdict([kept, lost]) == (
        "Simulated, at least 98.0% of the calls of every other group are answered in time as it "
        "was; with Priority and Fairness off only 40.0% to 100% of those of administrators."
    )


def test_a_policy_that_is_undecided_has_no_verdict() -> None:
    open_one = tried("the default objects", BAD, admins=0.5)

    assert policies.verdict([open_one]).startswith("On other policies no verdict: ")
    both = policies.verdict([tried("as it was", admins=1.0), open_one])
    assert both.endswith("as it was; no verdict on the default objects.")


def test_policies_that_do_the_same_make_no_difference() -> None:
    said = policies.verdict([tried("as it was", admins=1.0), tried("off", admins=1.0)])
    assert "no policy makes a difference: all of the calls" in said


def test_few_calls_give_no_verdict() -> None:
    said = policies.verdict([tried("as it was", requests=3, others=0.0)])
    assert said.startswith("No group but the culprit called often enough")


def test_the_culprit_is_no_victim() -> None:
    said: Any = policies.verdict([tried("as it was", culprit=0.1, others=1.0)])
    assert "0.1" not in said and said.startswith("Simulated, all of the calls of every other group")
