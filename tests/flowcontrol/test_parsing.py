"""Objects of every version of the API become the same values; what is malformed is named."""

from __future__ import annotations

from copy import deepcopy

import pytest

from kubepostmortem.flowcontrol.objects import (
    FlowSchema,
    NonResourceRule,
    PriorityLevel,
    Queuing,
    ResourceRule,
    Rule,
    Subject,
)
from kubepostmortem.flowcontrol.parsing import Malformed, flow_schema, priority_level

QUEUE = {"type": "Queue", "queuing": {"queues": 16, "handSize": 4, "queueLengthLimit": 20}}


def limited(response: dict | None = None, **fields: object) -> dict:
    spec = {"type": "Limited", "limited": {**fields, "limitResponse": response or QUEUE}}
    return {"metadata": {"name": "mine"}, "spec": spec}


def schema(**spec: object) -> dict:
    level = {"priorityLevelConfiguration": {"name": "mine"}}
    return {"metadata": {"name": "s"}, "spec": {**level, **spec}}


def test_all_fields_of_a_level() -> None:
    document = limited(nominalConcurrencyShares=7, lendablePercent=20, borrowingLimitPercent=50)

    level = priority_level(document)

    assert level == PriorityLevel("mine", False, 7, 20, 50, Queuing(16, 4, 20))


def test_older_versions_call_shares_differently() -> None:
    assert priority_level(limited(assuredConcurrencyShares=12)).shares == 12


def test_what_a_level_leaves_out() -> None:
    document = limited({"type": "Queue", "queuing": {}})

    assert priority_level(document) == PriorityLevel("mine", False, 30, queuing=Queuing(64, 8, 50))


def test_zero_shares_are_not_left_out() -> None:
    assert priority_level(limited(nominalConcurrencyShares=0)).shares == 0


@pytest.mark.parametrize("response", [{"type": "Reject"}, {"type": "Reject", "queuing": None}])
def test_levels_that_reject_have_no_queues(response: dict) -> None:
    assert priority_level(limited(response)).queuing is None


@pytest.mark.parametrize(
    ("spec", "shares", "lendable"),
    [({}, 0, 0), ({"exempt": {"nominalConcurrencyShares": 5, "lendablePercent": 40}}, 5, 40)],
)
def test_exempt_levels(spec: dict, shares: int, lendable: int) -> None:
    document = {"metadata": {"name": "e"}, "spec": {"type": "Exempt", **spec}}

    assert priority_level(document) == PriorityLevel("e", True, shares, lendable)


@pytest.mark.parametrize(
    "spec",
    [
        {"type": "Limited"},
        {"type": "Exempt", "limited": {"limitResponse": QUEUE}},
        {"type": "Other"},
        {"type": "Limited", "limited": {}},
        {"type": "Limited", "limited": {"limitResponse": {"type": "Queue"}}},
        {"type": "Limited", "limited": {"limitResponse": {"type": "Reject", "queuing": {}}}},
        {
            "type": "Limited",
            "limited": {
                "limitResponse": {"type": "Queue", "queuing": {"queues": 3, "handSize": 4}}
            },
        },
        None,
    ],
)
def test_malformed_levels_are_named(spec: object) -> None:
    with pytest.raises(Malformed, match="priority level mine"):
        priority_level({"metadata": {"name": "mine"}, "spec": spec})


def test_all_fields_of_a_schema() -> None:
    resource = {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"], "namespaces": ["a"]}
    path = {"verbs": ["get"], "nonResourceURLs": ["/metrics"]}
    subjects = [
        {"kind": "User", "user": {"name": "u"}},
        {"kind": "Group", "group": {"name": "g"}},
        {"kind": "ServiceAccount", "serviceAccount": {"namespace": "n", "name": "a"}},
    ]
    rule = {"subjects": subjects, "resourceRules": [resource], "nonResourceRules": [path]}
    document = schema(
        matchingPrecedence=7, distinguisherMethod={"type": "ByNamespace"}, rules=[rule]
    )

    read = flow_schema(document)

    who = (Subject("User", "u"), Subject("Group", "g"), Subject("ServiceAccount", "a", "n"))
    pods = ResourceRule(("get",), ("",), ("pods",), False, ("a",))
    expected = Rule(who, (pods,), (NonResourceRule(("get",), ("/metrics",)),))
    assert read == FlowSchema("s", "mine", 7, "ByNamespace", (expected,))


def test_what_a_schema_leaves_out() -> None:
    rules = [{"subjects": None, "resourceRules": None}]

    assert flow_schema(schema(rules=rules)) == FlowSchema("s", "mine", 1000, "", (Rule(()),))
    assert flow_schema(schema(rules=None, distinguisherMethod=None)).rules == ()


@pytest.mark.parametrize("subject", [{"kind": "Robot"}, {"kind": "User"}, {}, "me"])
def test_malformed_schemas_are_named(subject: object) -> None:
    with pytest.raises(Malformed, match="flow schema s"):
        flow_schema(schema(rules=[{"subjects": [subject]}]))


@pytest.mark.parametrize("document", [{}, [], None, "text", {"metadata": {"name": "x"}}])
def test_anything_else_is_malformed(document: object) -> None:
    for read in (priority_level, flow_schema):
        with pytest.raises(Malformed):
            read(deepcopy(document))
