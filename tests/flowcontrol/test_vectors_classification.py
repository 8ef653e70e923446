"""Which request matches what: every request of every scenario."""

from __future__ import annotations

import pytest

from flowcontrol.vectors import call, caller, configured, scenarios, vector
from kubepostmortem.flowcontrol.classify import classify
from kubepostmortem.flowcontrol.hashing import flow_hash, hand
from kubepostmortem.flowcontrol.request_info import requested

APF = [name for name in scenarios() if not 60 <= int(name[:2]) < 70]


@pytest.mark.parametrize("name", scenarios())
def test_calls_are_resolved(name: str) -> None:
    told = vector(name)["calls"]

    resolved = [requested(one["method"], one["url"]) for one in told]

    assert resolved == [call(one) for one in told]
    assert [one.of_resource for one in resolved] == [one["is_resource"] for one in told]


@pytest.mark.parametrize("name", APF)
def test_schemas_are_ordered(name: str) -> None:
    scenario = vector(name)["scenario"]

    configuration = configured(scenario, scenario["use_default_objects"])

    ordered = [schema.name for schema in configuration.flow_schemas]
    assert ordered == vector(name)["flow_schema_order"]


@pytest.mark.parametrize("name", APF)
def test_requests_are_classified(name: str) -> None:
    """Until the configuration changes, if it does."""
    told, columns = vector(name), vector(name)["columns"]
    scenario = told["scenario"]
    configuration = configured(scenario, scenario["use_default_objects"])
    changed = min((c["t_ns"] for c in scenario.get("config_changes") or ()), default=1 << 62)
    asked = {
        (actor, asked_for): flow
        for t, actor, asked_for, flow in zip(
            columns["t_ns"], columns["actor"], columns["call"], columns["flow"], strict=True
        )
        if flow is not None and t < changed
    }

    for (actor, asked_for), flow in asked.items():
        found = classify(
            configuration, caller(told["actors"][actor]), call(told["calls"][asked_for])
        )
        expected = told["flows"][flow]
        assert (found.flow_schema, found.priority_level, found.distinguisher) == (
            expected["flow_schema"],
            expected["priority_level"],
            expected["distinguisher"],
        )
        _assert_hand(expected, configuration.priority_levels[found.priority_level].queuing)


def _assert_hand(expected: dict, queuing) -> None:
    """The flow's hash and hand, of levels with queues."""
    if queuing is None:
        assert expected["hash"] is None
        return
    one_queue = queuing.queues <= 1
    hashed = 0 if one_queue else flow_hash(expected["flow_schema"], expected["distinguisher"])
    assert expected["hash"] == str(hashed)
    assert expected["hand"] == list(hand(hashed, queuing.queues, queuing.hand_size))
