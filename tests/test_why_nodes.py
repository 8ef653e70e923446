"""Why nodes are involved: planted DaemonSets, and what is none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kubepostmortem.questions import why_nodes
from kubepostmortem.questions.question import Answer, ask
from kubepostmortem.store import Store
from planted import OTEL, Storm, telemetry_storm

STORM = Storm(nodes=12, baseline_s=200, overload_s=120, shed=0, waves=(0.0, 30.0, 60.0))


def told(store: Store) -> Answer:
    return ask(why_nodes, store)


def test_one_agent_per_node_and_its_load(read, store: Store) -> None:
    read(telemetry_storm(STORM))

    answer = told(store)

    assert answer.evidence["daemonset_shape"]
    (group,) = answer.evidence["clients_per_node"]
    assert (group["clients"], group["nodes"]) == (1, 12)
    assert answer.evidence["requests_per_node_per_s"] == pytest.approx(3 / 4, rel=0.05)
    assert "the load grows with the cluster" in answer.headline


def test_refusals_do_not_hide_what_a_node_offers(read, store: Store) -> None:
    read(telemetry_storm(replace(STORM, shed=0.5)))

    assert told(store).evidence["requests_per_node_per_s"] == pytest.approx(3 / 4, rel=0.1)


def test_nodes_are_covered_as_the_rollout_reaches_them(read, store: Store) -> None:
    read(telemetry_storm(STORM))

    answer = told(store)

    covered = answer.evidence["covered"]
    assert (covered["nodes"], covered["with_new_pod"]) == (12, 12)
    assert covered["first_at"] < covered["half_at"] < covered["most_at"] <= covered["last_at"]
    assert [wave["clients"] for wave in answer.evidence["waves"]] == [4, 4, 4]
    curve = next(one for one in answer.figures if one.chart == "nodes_covered").rows
    called = curve.filter(curve["part"] == "nodes that called")
    assert called["nodes"].is_sorted()
    assert called["nodes"].max() == 12


def test_pods_that_follow_one_another_are_one_client_at_a_time(read, store: Store) -> None:
    events = telemetry_storm(STORM)
    for one in events:
        pod = one["user"].get("extra", {}).get("authentication.kubernetes.io/pod-name")
        if (
            pod
            and pod[0].startswith("otel")
            and one["requestReceivedTimestamp"] > "2026-03-01T12:05"
        ):
            pod[0] = f"{pod[0][:-1]}z"
    read(events)

    facts = told(store).evidence

    assert facts["pods"] > facts["nodes"] == 12
    assert facts["one_per_node"]
    assert facts["daemonset_shape"]


def test_several_clients_on_a_node_are_no_daemonset(read, store: Store) -> None:
    twin = telemetry_storm(replace(STORM, seed=7))
    events = telemetry_storm(STORM)
    for one in twin:
        if "otelcol" in one["userAgent"]:
            extra = one["user"]["extra"]
            (pod,) = extra["authentication.kubernetes.io/pod-name"]
            extra["authentication.kubernetes.io/pod-name"] = [f"{pod[:-1]}y"]
            events.append(one | {"auditID": f"t{one['auditID']}"})
    read(events)

    facts = told(store).evidence

    assert not facts["daemonset_shape"]
    assert [group["clients"] for group in facts["clients_per_node"]] == [2]


def test_a_single_controller_is_no_daemonset(read, store: Store) -> None:
    read(telemetry_storm(replace(STORM, culprit=replace(OTEL, per_node=False, every=0.2))))

    assert not told(store).evidence["daemonset_shape"]
