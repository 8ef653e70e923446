"""The scoreboard: recorded and planted incidents, and whether we find what caused them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from planted import KUBELET, OTEL, Culprit, Storm, at, telemetry_storm, write_log

from kubepostmortem.incident import utc
from kubepostmortem.ingest import ingest
from kubepostmortem.postmortem import Postmortem
from kubepostmortem.questions import QUESTIONS
from kubepostmortem.questions.question import Answer
from kubepostmortem.store import Store

Evidence = dict[str, Any]

SMALL = Storm(nodes=10, baseline_s=120, overload_s=100)


def near(text: str, moment: datetime, seconds: float) -> bool:
    return abs(utc(text) - moment) <= timedelta(seconds=seconds)


# The recorded incident


@pytest.fixture
def grew(postmortem: Postmortem) -> Answer:
    return postmortem.ask("who-grew")


def test_recorded_the_agent_that_lists_is_the_top_cause(grew: Answer) -> None:
    assert grew.status == "answered"
    top = grew.evidence["causes"][0]
    assert top["component"] == "otel-agent"
    assert top["user"] == "system:serviceaccount:telemetry:otel-agent"
    assert (top["verb"], top["scope"], top["kind"]) == ("list", "cluster", "primary")
    assert set(top["resources"]) == {"pods", "nodes", "endpoints"}
    assert near(top["onset"], datetime(2026, 11, 24, 0, 56, 6, 680000), 15)
    assert top["share"] > 0.9
    assert "otel-agent" in grew.headline


def test_recorded_victims_that_retry_are_induced(grew: Answer) -> None:
    others = grew.evidence["causes"][1:]
    assert {other["component"] for other in others} == {"kubelet"}
    assert {other["kind"] for other in others} == {"induced"}
    assert all(utc(other["onset"]) > utc(grew.evidence["causes"][0]["onset"]) for other in others)


def test_recorded_windows_leave_out_the_start_of_the_cluster(postmortem: Postmortem) -> None:
    baseline, overload = postmortem.sql("from incident order by time_window").rows(named=True)
    assert baseline["begins_at"] >= datetime(2026, 11, 24, 0, 54)
    assert abs(overload["begins_at"] - datetime(2026, 11, 24, 0, 56, 5)) < timedelta(seconds=15)


def test_recorded_it_polls_everything_without_limit_or_version(postmortem: Postmortem) -> None:
    facts = postmortem.ask("what-changed").evidence
    assert facts["component"] == "otel-agent"
    assert {
        "polls instead of watching",
        "reads the whole cluster",
        "without limit",
        "without resourceVersion",
        "without a selector",
    } <= set(facts["patterns"])
    for shape in facts["shapes"]:
        assert shape["cluster_wide"] == shape["without_limit"] == 1
        assert shape["without_resource_version"] == 1
    assert all(13 < pace["interval_s"] < 17 for pace in facts["pace"])
    assert "watch cache" in facts["served_from"]


def test_recorded_one_agent_per_node_called(postmortem: Postmortem) -> None:
    facts = postmortem.ask("why-nodes").evidence
    assert facts["daemonset_shape"]
    assert facts["one_per_node"]
    assert facts["cluster_nodes"] == 200
    assert 95 <= facts["nodes"] <= 110
    assert facts["nodes"] == facts["pods"]
    assert facts["workload"] == "telemetry/otel-agent"


def test_recorded_the_rollout_is_the_cause_and_others_are_innocent(postmortem: Postmortem) -> None:
    answer = postmortem.ask("which-deploy")
    first, *others = answer.evidence["suspects"]
    assert (first["service"], first["verdict"], first["rank"]) == ("otel-agent", "cause", 1)
    assert near(first["at"], datetime(2026, 11, 24, 0, 56, 4), 5)
    assert 0 <= first["lag_s"] < 15
    assert {"checkout", "payments"} <= {other["service"] for other in others}
    assert {other["verdict"] for other in others} == {"innocent"}
    assert len(answer.evidence["steps"]) >= 3


def test_recorded_every_line_of_the_log_was_used(postmortem: Postmortem) -> None:
    audit = postmortem.ledger().filter(postmortem.ledger()["path"].str.contains("/audit/"))
    assert audit["lines"].sum() == audit["loaded"].sum() == 113_178
    assert audit.height == 10


# Planted incidents: other components, verbs and resources


def told(folder: Path, storm: Storm) -> Postmortem:
    """Ingest a planted storm and open its postmortem."""
    log = write_log(folder / "audit.log", telemetry_storm(storm))
    with Store.create(folder / "incident.duckdb") as store:
        ingest(store, [log], "planted")
    return Postmortem.open(folder / "incident.duckdb")


LOOP = Culprit(
    user="system:serviceaccount:infra:node-labeler",
    agent="node-labeler/v0.3.0 (linux/amd64) kubernetes/$Format",
    verb="patch",
    resources=(("", "nodes"),),
    every=0.05,
    cost=0.01,
    per_node=False,
    named=True,
)
CNI = Culprit(
    user="system:serviceaccount:kube-system:cilium",
    agent="cilium-agent/1.16.4",
    verb="list",
    resources=(("", "namespaces"),),
    every=1.5,
    cost=0.05,
    workload="cilium",
)
SECRETS = Culprit(
    user="system:node:{node}",
    agent=KUBELET,
    verb="get",
    resources=(("", "secrets"),),
    every=0.5,
    cost=0.01,
    named=True,
)
DISCOVERY = Culprit(
    user="system:serviceaccount:ops:inventory",
    agent="inventory/2.0",
    verb="get",
    resources=(("/openapi/v2", ""),),
    every=3,
    cost=0.4,
)
CRDS = Culprit(
    user="system:serviceaccount:shop:operator",
    agent="widget-operator/v1.4.0 (linux/amd64) kubernetes/$Format",
    verb="list",
    resources=(("widgets.example.com", "widgets"), ("", "configmaps")),
    every=0.4,
    cost=0.15,
    per_node=False,
)

PLANTED = {
    "an agent lists everything": (SMALL, "otel-agent", {"pods", "nodes", "endpoints"}),
    "a controller patches nodes in a hot loop": (
        replace(SMALL, culprit=LOOP),
        "node-labeler",
        {"nodes"},
    ),
    "a controller that always patched nodes begins to loop": (
        replace(SMALL, culprit=replace(LOOP, before=0.1)),
        "node-labeler",
        {"nodes"},
    ),
    "a network agent lists namespaces": (
        replace(SMALL, culprit=CNI),
        "cilium-agent",
        {"namespaces"},
    ),
    "a network agent that always listed lists more": (
        replace(SMALL, culprit=replace(CNI, before=0.05)),
        "cilium-agent",
        {"namespaces"},
    ),
    "kubelets get secrets": (replace(SMALL, culprit=SECRETS), "kubelet", {"secrets"}),
    "something reads the API's schema": (replace(SMALL, culprit=DISCOVERY), "inventory", set()),
    "an operator lists custom resources": (
        replace(SMALL, culprit=CRDS),
        "widget-operator",
        {"widgets", "configmaps"},
    ),
    "hardly anything is shed": (
        replace(SMALL, shed=0.02),
        "otel-agent",
        {"pods", "nodes", "endpoints"},
    ),
    "most is shed": (replace(SMALL, shed=0.7), "otel-agent", {"pods", "nodes", "endpoints"}),
    "everything is a hundred times slower": (
        replace(SMALL, congestion=100, culprit=LOOP),
        "node-labeler",
        {"nodes"},
    ),
    "a slow newcomer comes later": (
        replace(SMALL, congestion=100, culprit=LOOP, latecomer=True),
        "node-labeler",
        {"nodes"},
    ),
    "waves far apart": (
        replace(SMALL, overload_s=200, waves=(0.0, 60.0, 120.0)),
        "otel-agent",
        {"pods", "nodes", "endpoints"},
    ),
}


@pytest.mark.parametrize(("storm", "component", "resources"), PLANTED.values(), ids=PLANTED)
def test_planted(tmp_path: Path, storm: Storm, component: str, resources: set[str]) -> None:
    assert storm.culprit is not None
    postmortem = told(tmp_path, storm)
    top = postmortem.ask("who-grew").evidence["causes"][0]
    assert (top["component"], top["verb"]) == (component, storm.culprit.verb)
    assert set(top["resources"]) == resources
    assert top["kind"] == "primary"
    assert near(top["onset"], at(storm.baseline_s), 10)
    facts = postmortem.ask("why-nodes").evidence
    assert facts["daemonset_shape"] == storm.culprit.per_node
    assert postmortem.ask("what-changed").evidence["component"] == component
    suspects = postmortem.ask("which-deploy").evidence["suspects"]
    verdicts = {suspect["service"]: suspect["verdict"] for suspect in suspects}
    assert verdicts["checkout"] == "innocent"
    assert verdicts.get("scanner", "innocent") == "innocent"
    if storm.culprit.workload:
        assert verdicts[storm.culprit.workload] == "cause"
    else:
        assert "cause" not in verdicts.values()
    postmortem.store.close()


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_planted_chance_does_not_decide(tmp_path: Path, seed: int) -> None:
    postmortem = told(tmp_path, replace(SMALL, seed=seed))
    answer = postmortem.ask("who-grew")
    kinds = {cause["component"]: cause["kind"] for cause in answer.evidence["causes"]}
    assert [name for name, kind in kinds.items() if kind == "primary"] == ["otel-agent"]
    postmortem.store.close()


def test_planted_two_clients_that_begin_together_are_both_causes(tmp_path: Path) -> None:
    first = telemetry_storm(replace(SMALL, shed=0))
    second = telemetry_storm(
        replace(SMALL, shed=0, seed=9, culprit=replace(CNI, cost=0.12, every=0.8))
    )
    others = [e | {"auditID": f"b-{e['auditID']}"} for e in second if "cilium" in e["userAgent"]]
    log = write_log(tmp_path / "audit.log", first + others)
    with Store.create(tmp_path / "incident.duckdb") as store:
        ingest(store, [log], "planted")
    answer = Postmortem.open(tmp_path / "incident.duckdb").ask("who-grew")
    primary = {c["component"] for c in answer.evidence["causes"] if c["kind"] == "primary"}
    assert primary == {"otel-agent", "cilium-agent"}


def test_planted_one_cluster_of_two_is_overloaded(tmp_path: Path) -> None:
    with Store.create(tmp_path / "incident.duckdb") as store:
        for cluster, storm in (("east", SMALL), ("west", replace(SMALL, culprit=None))):
            log = write_log(tmp_path / cluster / "audit.log", telemetry_storm(storm))
            ingest(store, [log], cluster)
    answer = Postmortem.open(tmp_path / "incident.duckdb").ask("who-grew")
    assert answer.evidence["causes"][0]["component"] == "otel-agent"
    assert near(answer.evidence["causes"][0]["onset"], at(SMALL.baseline_s), 10)


# Logs that do not tell


@pytest.mark.parametrize("question", [question.id for question in QUESTIONS])
def test_without_an_incident_nobody_is_blamed(tmp_path: Path, question: str) -> None:
    postmortem = told(tmp_path, replace(SMALL, culprit=None))
    answer = postmortem.ask(question)
    assert answer.status == "open" or not answer.evidence.get("causes")
    assert answer.confidence in ("none", "low")
    for innocent in ("kubelet", "checkout", "kube-proxy"):
        assert innocent not in answer.headline
    postmortem.store.close()


def test_windows_by_hand_over_calm_load_blame_nobody(tmp_path: Path) -> None:
    postmortem = told(tmp_path, replace(SMALL, culprit=None))
    postmortem.store.close()
    from kubepostmortem.incident import Window
    from kubepostmortem.windows import set_window

    with Store.create(tmp_path / "incident.duckdb") as store:
        set_window(store, "planted", "baseline", Window(at(150), at(300)))
        set_window(store, "planted", "overload", Window(at(10), at(140)))
    postmortem = Postmortem.open(tmp_path / "incident.duckdb")
    for question in QUESTIONS:
        assert postmortem.ask(question.id).confidence != "high"
