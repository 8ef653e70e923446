"""A fence for the culprit of a planted storm: whom it holds, whom it spares, and how wide it is."""

from __future__ import annotations

import pytest

from kubepostmortem.errors import MissingEvidence
from kubepostmortem.flowcontrol.defaults import default_configuration
from kubepostmortem.questions.question import Inquiry
from kubepostmortem.simulation.fencing import SEATS, TriedFence, tried_fence
from kubepostmortem.simulation.load import Suspect
from kubepostmortem.simulation.replaying import Replayable, replayable
from kubepostmortem.simulation.simulation import FEWEST
from kubepostmortem.store import Store
from simulation.flow_control_evidence import flags
from simulation.planted_calls import ADMIN, OTEL, calls, even, windows
from simulation.planted_storm import READS, WRITES

PODS = {"verb": "list", "resource": "pods"}


@pytest.fixture(scope="module")
def fenced_in(replay_of_storm: Replayable) -> TriedFence:
    return tried_fence(replay_of_storm)


def answered(found: TriedFence, group: str) -> float:
    outcome = found.simulation.group(group)
    assert outcome is not None
    return outcome.answered.likely


def test_a_fence_spares_all_others(fenced_in: TriedFence) -> None:
    assert fenced_in.spares
    for outcome in fenced_in.simulation.groups:
        if outcome.group != "culprit":
            assert outcome.answered.low >= 0.99
            assert outcome.refused == {}
            assert outcome.requests >= FEWEST


def test_a_fence_holds_the_culprit_and_nobody_else(fenced_in: TriedFence) -> None:
    assert [moved.component for moved in fenced_in.moved] == ["otel-agent"]
    (moved,) = fenced_in.moved
    assert (moved.flow_schema, moved.priority_level) == ("service-accounts", "workload-low")
    assert answered(fenced_in, "culprit") < 1
    (rule,) = fenced_in.fence.flow_schema.rules
    assert [(s.kind, s.namespace, s.name) for s in rule.subjects] == [
        ("ServiceAccount", "telemetry", "otel-agent")
    ]
    assert [(r.verbs, r.resources) for r in rule.resource_rules] == [(("list",), ("pods",))]


def test_where_priority_and_fairness_was_off_it_is_added_to_the_defaults(
    fenced_in: TriedFence,
) -> None:
    assert fenced_in.base == default_configuration(33)
    assert fenced_in.simulation.apf


def test_a_fence_takes_a_tenth_of_the_seats_at_most(fenced_in: TriedFence) -> None:
    assert fenced_in.fence.seats <= (READS + WRITES) / 10
    assert fenced_in.fence.seats in SEATS


def test_a_wanted_width_is_tried_whoever_suffers(
    replay_of_storm: Replayable, fenced_in: TriedFence
) -> None:
    wanted = tried_fence(replay_of_storm, 2)

    assert wanted.fence.seats == 2
    assert answered(wanted, "culprit") < answered(fenced_in, "culprit")


def test_hazards_are_told(fenced_in: TriedFence) -> None:
    assert any("CPU" in hazard for hazard in fenced_in.hazards)


@pytest.mark.parametrize("suspect", [None, Suspect("who-knows"), Suspect("otel-agent", ("get",))])
def test_without_a_culprit_nobody_is_fenced_in(read, store: Store, suspect: Suspect | None) -> None:
    windows(store)
    read([*calls(*even(0, 300, 5), **OTEL, **PODS), *calls(*even(0, 300, 5), **ADMIN)])

    with pytest.raises(MissingEvidence, match="culprit"):
        tried_fence(replayable(Inquiry(store), "prod", suspect))


@pytest.mark.parametrize("seats", [None, 4])
def test_without_limits_there_are_no_seats_to_fence(read, store: Store, seats: int | None) -> None:
    windows(store)
    flags(
        store,
        enable_priority_and_fairness="false",
        max_requests_inflight="0",
        max_mutating_requests_inflight="0",
    )
    read([*calls(*even(0, 300, 5), **OTEL, **PODS)])

    with pytest.raises(MissingEvidence, match="fence"):
        tried_fence(replayable(Inquiry(store), "prod", Suspect("otel-agent")), seats)


def test_on_a_small_server_the_fence_is_narrow(read, store: Store) -> None:
    windows(store)
    flags(store, max_requests_inflight="20", max_mutating_requests_inflight="10")
    read([*calls(*even(0, 300, 5), **OTEL, **PODS), *calls(*even(0, 300, 5), **ADMIN)])

    found = tried_fence(replayable(Inquiry(store), "prod", Suspect("otel-agent")))

    assert 1 <= found.fence.seats <= 3
    assert found.spares


def test_other_components_of_the_same_user_are_told_as_held_too(read, store: Store) -> None:
    """A shell in the agent's pod uses its service account."""
    windows(store)
    shell = OTEL | {"agent": ADMIN["agent"]}
    read([*calls(*even(100, 300, 5), **OTEL, **PODS), *calls((150, 200), **shell, **PODS)])

    found = tried_fence(replayable(Inquiry(store), "prod", Suspect("otel-agent")))

    assert {moved.component: moved.requests for moved in found.moved} == {
        "otel-agent": 40,
        "kubectl": 1,
    }
