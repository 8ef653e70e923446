"""The scoreboard: recorded and planted incidents, and whether we find what caused them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kubepostmortem.incident import Window, utc
from kubepostmortem.ingest import ingest
from kubepostmortem.postmortem import Postmortem
from kubepostmortem.questions.question import Answer
from kubepostmortem.store import Store
from kubepostmortem.windows import set_window
from planted import KUBELET, Culprit, Event, Storm, at, stamp, telemetry_storm, write_log

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
    assert f" is {top['share']:.0%} of the growth in demand" in grew.headline


def test_recorded_victims_that_retry_are_throttling_not_causes(grew: Answer) -> None:
    assert [cause["kind"] for cause in grew.evidence["causes"]].count("primary") == 1
    lines = {(line["kind"], line["component"]): line for line in grew.evidence["ledger"]}
    assert lines["throttling", "kubelet"]["growth_requests"] > 10


def test_recorded_the_ledger_sums_to_the_growth(grew: Answer) -> None:
    lines = grew.evidence["ledger"]
    for measure in ("", "_requests", "_request_seconds", "_seats"):
        total = grew.evidence[f"total_growth{measure}"]
        assert sum(line[f"growth{measure}"] for line in lines) == pytest.approx(total, rel=1e-9)


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


Tell = Callable[..., Postmortem]


@pytest.fixture
def tell(store: Store, tmp_path: Path) -> Iterator[Tell]:
    """Ingest planted clusters, by name, and open their postmortem."""
    opened: list[Postmortem] = []

    def open_postmortem(**clusters: Sequence[Event]) -> Postmortem:
        for cluster, events in clusters.items():
            ingest(store, [write_log(tmp_path / cluster / "audit.log", events)], cluster)
        store.close()
        opened.append(Postmortem.open(store.path))
        return opened[0]

    yield open_postmortem
    for postmortem in opened:
        postmortem.store.close()


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
        replace(SMALL, overload_s=200, congestion=100, culprit=LOOP, latecomer=True),
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
def test_planted(tell: Tell, storm: Storm, component: str, resources: set[str]) -> None:
    assert storm.culprit is not None
    postmortem = tell(prod=telemetry_storm(storm))
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


@pytest.mark.parametrize("seed", [2, 3])
def test_planted_chance_does_not_decide(tell: Tell, seed: int) -> None:
    answer = tell(prod=telemetry_storm(replace(SMALL, seed=seed))).ask("who-grew")
    kinds = {cause["component"]: cause["kind"] for cause in answer.evidence["causes"]}
    assert [name for name, kind in kinds.items() if kind == "primary"] == ["otel-agent"]


def test_planted_two_clients_that_begin_together_are_both_causes(tell: Tell) -> None:
    one = replace(SMALL, shed=0)
    two = replace(one, seed=9, culprit=replace(CNI, cost=0.12, every=0.8))
    others = [e for e in telemetry_storm(two) if "cilium" in e["userAgent"]]
    events = telemetry_storm(one) + [e | {"auditID": f"b-{e['auditID']}"} for e in others]
    causes = tell(prod=events).ask("who-grew").evidence["causes"]
    primary = {cause["component"] for cause in causes if cause["kind"] == "primary"}
    assert primary == {"otel-agent", "cilium-agent"}


@pytest.mark.parametrize("audited", [True, False], ids=["audited too", "only the pipeline tells"])
def test_planted_a_deploy_record_without_namespace_is_tied_to_its_workload(
    store: Store, tell: Tell, tmp_path: Path, audited: bool
) -> None:
    events = telemetry_storm(SMALL)
    if not audited:
        events = [e for e in events if "daemonsets" not in e["requestURI"]]
    deploys = tmp_path / "deploys.csv"
    rows = [(119, "otel-agent", "0.115.0"), (60, "payments", "2.0")]
    lines = [f"{stamp(when)},{service},{version}" for when, service, version in rows]
    deploys.write_text("\n".join(["time,service,version", *lines]) + "\n")
    ingest(store, [deploys], "prod")
    suspects = tell(prod=events).ask("which-deploy").evidence["suspects"]
    verdicts = [(s["service"], s["namespace"], s["verdict"]) for s in suspects]
    assert sorted(verdicts, key=str) == [
        ("checkout", "shop", "innocent"),
        ("otel-agent", "telemetry", "cause"),
        ("payments", None, "innocent"),
    ]
    assert suspects[0]["version"] == "0.115.0"


def test_planted_one_cluster_of_two_is_overloaded(tell: Tell) -> None:
    calm = telemetry_storm(replace(SMALL, culprit=None))
    top = tell(east=calm, west=telemetry_storm(SMALL)).ask("who-grew").evidence["causes"][0]
    assert top["component"] == "otel-agent"
    assert near(top["onset"], at(SMALL.baseline_s), 10)


def test_planted_requests_without_verb_are_named_by_their_client(tell: Tell) -> None:
    events = telemetry_storm(SMALL)
    for event in events:
        if "otelcol" in event["userAgent"]:
            del event["verb"]
    postmortem = tell(prod=events)
    top = postmortem.ask("who-grew").evidence["causes"][0]
    assert (top["component"], top["verb"], top["kind"]) == ("otel-agent", "*", "primary")
    assert top["share"] > 0.9
    of_the_cause = ("who-grew", "what-changed", "why-nodes", "which-deploy")
    assert {postmortem.ask(question).status for question in of_the_cause} == {"answered"}


def test_planted_a_log_without_answers_tells_by_the_number_of_requests(
    store: Store, tell: Tell, tmp_path: Path
) -> None:
    received = [e for e in telemetry_storm(SMALL) if e["stage"] == "RequestReceived"]
    ingest(store, [write_log(tmp_path / "received.log", received)], "prod")
    set_window(store, "prod", "baseline", Window(at(0), at(120)))
    set_window(store, "prod", "overload", Window(at(120), at(220)))
    facts = tell().ask("who-grew").evidence
    assert facts["causes"][0]["component"] == "otel-agent"
    assert facts["largest_cells_agree"]


def test_planted_users_beyond_the_first_are_not_counted(tell: Tell) -> None:
    answer = tell(prod=telemetry_storm(replace(SMALL, culprit=SECRETS))).ask("who-grew")
    assert "(system:node:node-" in answer.headline
    assert " and others)" in answer.headline


def test_planted_calls_of_urls_are_not_mixed_with_those_of_resources(tell: Tell) -> None:
    storm = replace(SMALL, culprit=DISCOVERY)
    events = telemetry_storm(storm)
    lists = replace(DISCOVERY, resources=(("", "pods"),), user="system:serviceaccount:ops:lister")
    others = telemetry_storm(replace(storm, culprit=replace(lists, every=40, before=1.0)))
    events += [
        e | {"auditID": f"b-{e['auditID']}"} for e in others if "inventory" in e["userAgent"]
    ]
    top, *_ = tell(prod=events).ask("who-grew").evidence["causes"]
    assert top["users"] == ["system:serviceaccount:ops:inventory"]


# Logs that do not tell


def test_without_an_incident_nobody_is_blamed(tell: Tell) -> None:
    for answer in tell(prod=telemetry_storm(replace(SMALL, culprit=None))).answers():
        assert answer.status == "open" or not answer.evidence.get("causes")
        assert answer.confidence in ("none", "low")
        for innocent in ("kubelet", "checkout", "kube-proxy"):
            assert innocent not in answer.headline


def test_windows_by_hand_over_calm_load_blame_nobody_for_sure(store: Store, tell: Tell) -> None:
    set_window(store, "prod", "baseline", Window(at(70), at(200)))
    set_window(store, "prod", "overload", Window(at(5), at(65)))
    for answer in tell(prod=telemetry_storm(replace(SMALL, culprit=None))).answers():
        assert answer.confidence != "high"
