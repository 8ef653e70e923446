"""Manifests as kubectl takes them: every form is read, and what would be refused is named."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kubepostmortem.assets import packaged
from kubepostmortem.flowcontrol.classify import Call, Caller, classify
from kubepostmortem.flowcontrol.defaults import (
    default_configuration,
    default_flow_schemas,
    default_priority_levels,
)
from kubepostmortem.flowcontrol.manifests import Manifests, merged, read_manifests
from kubepostmortem.flowcontrol.objects import PriorityLevel, Queuing
from kubepostmortem.flowcontrol.parsing import Malformed

QUEUES = {"type": "Queue", "queuing": {"queues": 16, "handSize": 4, "queueLengthLimit": 20}}
RESOURCES = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "clusterScope": True}
PATHS = {"verbs": ["get"], "nonResourceURLs": ["/metrics"]}
ALICE = {"kind": "User", "user": {"name": "alice"}}
V1BETA3_ZERO = "flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares"


def level(name: str = "mine", version: str = "v1", **limited: Any) -> dict[str, Any]:
    spec = {"type": "Limited", "limited": {"limitResponse": QUEUES, **limited}}
    return whole("PriorityLevelConfiguration", name, version, spec)


def schema(name: str = "s", version: str = "v1", rule: dict | None = None, **spec: Any) -> dict:
    rules = [{"subjects": [ALICE], "resourceRules": [RESOURCES], **(rule or {})}]
    to = {"priorityLevelConfiguration": {"name": "mine"}, "matchingPrecedence": 50}
    return whole("FlowSchema", name, version, {**to, "rules": rules, **spec})


def whole(kind: str, name: str, version: str, spec: object) -> dict[str, Any]:
    told = {"apiVersion": f"flowcontrol.apiserver.k8s.io/{version}", "kind": kind}
    return {**told, "metadata": {"name": name, "uid": "1"}, "spec": spec, "status": {}}


def one_level(document: dict) -> PriorityLevel:
    return read_manifests(json.dumps(document)).priority_levels[0]


def refused(document: object) -> str:
    with pytest.raises(Malformed) as why:
        read_manifests(document if isinstance(document, str) else json.dumps(document))
    return str(why.value)


# Forms


def untyped(document: dict) -> dict:
    return {key: value for key, value in document.items() if key not in ("kind", "apiVersion")}


@pytest.mark.parametrize(
    "text",
    [
        yaml.safe_dump_all([level(), schema()]),
        "# mine\n---\n" + yaml.safe_dump_all([level(), None, schema()]) + "\n---\n",
        json.dumps([level(), schema()]),
        json.dumps(level()) + "\n" + json.dumps(schema(), indent=1),
        json.dumps({"apiVersion": "v1", "kind": "List", "items": [level(), schema()]}),
        yaml.safe_dump({"kind": "List", "items": [{"kind": "List", "items": [level(), schema()]}]}),
        "\ufeff" + json.dumps({**schema(), "kind": "FlowSchemaList", "items": [untyped(schema())]})
        + json.dumps({**level(), "kind": "PriorityLevelConfigurationList",
                      "items": [untyped(level())]}),
    ],
    ids=["documents", "comments", "array", "values", "list", "nested", "typed"],
)  # fmt: skip
def test_every_form_is_read(text: str) -> None:
    read = read_manifests(text)

    assert [known.name for known in read.priority_levels] == ["mine"]
    assert [known.name for known in read.flow_schemas] == ["s"]
    assert read.ignored == ()


def test_other_objects_are_ignored_by_name() -> None:
    other = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a\nb\u202e"}}

    read = read_manifests(json.dumps([other, level(), {"kind": "Pod"}]))

    assert read.ignored == (r"ConfigMap a\x0ab\u202e", "Pod without a name")
    assert len(read.priority_levels) == 1


def test_nothing_is_no_objects() -> None:
    assert read_manifests("") == read_manifests("---\n# none\n") == Manifests()


@pytest.mark.parametrize("minor", [26, 31, 36])
def test_objects_of_a_new_cluster_are_taken(minor: int) -> None:
    known = packaged("flowcontrol/default_objects.toml")
    kinds = {"priority_level": "PriorityLevelConfiguration", "flow_schema": "FlowSchema"}
    objects = [
        whole(kind, one["metadata"]["name"], "v1", one["spec"])
        for name, kind in kinds.items()
        for one in known[name]
        if one.get("since", 0) <= minor <= one.get("until", minor)
    ]

    read = read_manifests(json.dumps({"kind": "List", "items": objects}))

    assert read.priority_levels == default_priority_levels(minor)
    assert read.flow_schemas == default_flow_schemas(minor)


def test_times_and_fractions_are_texts_of_no_consequence() -> None:
    text = yaml.safe_dump(level()).replace("uid: '1'", "creationTimestamp: 2024-13-45T00:00:00Z")

    assert "2024-13-45" in text
    assert read_manifests(text).priority_levels[0].name == "mine"


# Versions


@pytest.mark.parametrize(
    ("version", "limited", "shares"),
    [
        ("v1", {}, 30),
        ("v1", {"nominalConcurrencyShares": 0}, 0),
        ("v1", {"nominalConcurrencyShares": None}, 30),
        ("v1beta3", {"nominalConcurrencyShares": 0}, 30),
        ("v1beta3", {"nominalConcurrencyShares": 7}, 7),
        ("v1beta2", {"assuredConcurrencyShares": 7}, 7),
        ("v1beta2", {"assuredConcurrencyShares": 0}, 30),
        ("v1beta1", {}, 30),
        ("v1alpha1", {"assuredConcurrencyShares": 12}, 12),
    ],
)
def test_shares_by_version(version: str, limited: dict, shares: int) -> None:
    assert one_level(level(version=version, **limited)).shares == shares


@pytest.mark.parametrize(("shares", "expected"), [({"nominalConcurrencyShares": 0}, 0), ({}, 30)])
def test_an_annotation_keeps_zero_shares_of_v1beta3(shares: dict, expected: int) -> None:
    document = level(version="v1beta3", **shares)
    document["metadata"]["annotations"] = {V1BETA3_ZERO: ""}

    assert one_level(document).shares == expected


def test_zero_stands_for_the_default_elsewhere() -> None:
    queues = {"type": "Queue", "queuing": {"queues": 0, "handSize": 0, "queueLengthLimit": 0}}

    assert one_level(level(limitResponse=queues)).queuing == Queuing(64, 8, 50)
    text = json.dumps(schema(matchingPrecedence=0))
    assert read_manifests(text).flow_schemas[0].precedence == 1000


# What is refused


def queuing(**values: int) -> dict:
    return {"limitResponse": {"type": "Queue", "queuing": {**QUEUES["queuing"], **values}}}


@pytest.mark.parametrize(
    ("limited", "why"),
    [
        ({"nominalConcurrencyShares": -1}, "less than 0"),
        ({"nominalConcurrencyShares": "5"}, "limited.nominalConcurrencyShares is '5', not an int"),
        ({"nominalConcurrencyShares": True}, "is True, not an integer"),
        ({"nominalConcurrencyShares": 1 << 31}, "out of range"),
        ({"nominalConcurrencyShare": 5}, "no field spec.limited.nominalConcurrencyShare"),
        ({"assuredConcurrencyShares": 5}, "no field spec.limited.assuredConcurrencyShares"),
        ({"lendablePercent": 101}, "lendablePercent is 101"),
        ({"lendablePercent": -1}, "lendablePercent is -1"),
        ({"borrowingLimitPercent": -1}, "borrowingLimitPercent is -1"),
        (queuing(handSize=17), "no hands of 17 from 16 queues"),
        (queuing(queues=1 << 25, handSize=1), "no hands of 1 from"),
        (queuing(queues=512, handSize=8), "no hands of 8 from 512 queues"),
        (queuing(queueLengthLimit=-1), "queueLengthLimit is -1"),
        ({"limitResponse": {"type": "Reject", "queuing": {}}}, "limitResponse"),
        ({"limitResponse": []}, "spec.limited.limitResponse is [], not an object"),
    ],
)
def test_levels_that_the_server_refuses(limited: dict, why: str) -> None:
    told = refused([level("other"), level("bad", **limited)])

    assert why in told
    assert "bad: " in told


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"matchingPrecedence": 1}, "1 is for the schema exempt"),
        ({"matchingPrecedence": -1}, "matchingPrecedence is -1"),
        ({"matchingPrecedence": 10_001}, "matchingPrecedence is 10001"),
        ({"distinguisherMethod": {"type": "ByGroup"}}, "'ByGroup', not ByUser"),
        ({"priorityLevelConfiguration": {"name": "A"}}, "the name 'A'"),
        ({"priorityLevelConfiguration": None}, "no field priorityLevelConfiguration"),
        ({"rules": {}}, "spec.rules is {}, not a list"),
        ({"rules": [{"resourceRules": [RESOURCES]}]}, "rules[0]: there are no subjects"),
        ({"rules": [{"subjects": [ALICE]}]}, "rules[0]: there are neither resourceRules"),
    ],
)
def test_schemas_that_the_server_refuses(spec: dict, why: str) -> None:
    told = refused([schema("other"), schema("bad", **spec)])

    assert why in told
    assert "bad: " in told


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"verbs": []}, "verbs is empty"),
        ({"verbs": "get"}, "verbs is 'get', not a list"),
        ({"verbs": ["post"]}, "there is no verb 'post'"),
        ({"verbs": [None]}, "verbs[0] is None, not a text"),
        ({"verbs": ["get", "*"]}, "verbs holds * and more"),
        ({"apiGroups": []}, "apiGroups is empty"),
        ({"resources": ["*", "pods"]}, "resources holds * and more"),
        ({"clusterScope": False}, "namespaces is empty"),
        ({"namespaces": ["a.b"]}, "no namespace is called 'a.b'"),
        ({"namespaces": ["*", "a"]}, "namespaces holds * and more"),
    ],
)
def test_resource_rules_that_the_server_refuses(changed: dict, why: str) -> None:
    assert why in refused(schema(rule={"resourceRules": [{**RESOURCES, **changed}]}))


@pytest.mark.parametrize("path", ["metrics", "/a b", "/a//b", "/*/a", "/a*", "/a/*/*", ""])
def test_paths_that_the_server_refuses(path: str) -> None:
    told = refused(
        schema(rule={"nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": [path]}]})
    )

    assert f"nonResourceURLs cannot hold {path!r}" in told


@pytest.mark.parametrize("paths", [["*"], ["/"], ["/a/*"], ["/a", "/b/c"]])
def test_paths_that_the_server_takes(paths: list[str]) -> None:
    rule = {"nonResourceRules": [{**PATHS, "nonResourceURLs": paths}], "resourceRules": None}

    assert read_manifests(json.dumps(schema(rule=rule))).flow_schemas[0].rules[0].nonresource_rules


@pytest.mark.parametrize(
    "subject",
    [
        {"kind": "User", "user": {"name": ""}},
        {"kind": "User", "group": {"name": "a"}},
        {"kind": "Robot", "user": {"name": "a"}},
        {"kind": "ServiceAccount", "serviceAccount": {"name": "a"}},
        {"kind": "ServiceAccount", "serviceAccount": {"name": "a", "namespace": "*"}},
        {"kind": "ServiceAccount", "serviceAccount": {"name": "a b", "namespace": "c"}},
        {"kind": "User", "user": {"name": "a", "uid": "b"}},
    ],
)
def test_subjects_that_the_server_refuses(subject: dict) -> None:
    assert "bad: " in refused(schema("bad", rule={"subjects": [subject]}))


@pytest.mark.parametrize("name", ["A", "a_b", "-a", "", "a" * 254, "a\n"])
def test_names_that_the_server_refuses(name: str) -> None:
    for document in (level(name), schema(name)):
        assert "name" in refused(document)


@pytest.mark.parametrize(
    "document",
    [
        whole("PriorityLevelConfiguration", "exempt", "v1", level()["spec"]),
        whole("PriorityLevelConfiguration", "mine", "v1", {"type": "Exempt"}),
        level("catch-all", nominalConcurrencyShares=5),
        schema("exempt", matchingPrecedence=1),
        schema("catch-all", matchingPrecedence=10_000),
    ],
)
def test_mandatory_objects_stay_as_they_are(document: dict) -> None:
    assert document["metadata"]["name"] in refused(document)


def test_what_the_exempt_level_holds_may_change() -> None:
    spec = {"type": "Exempt", "exempt": {"nominalConcurrencyShares": 9, "lendablePercent": 50}}
    document = whole("PriorityLevelConfiguration", "exempt", "v1", spec)

    assert one_level(document) == PriorityLevel("exempt", True, 9, 50)


@pytest.mark.parametrize("version", ["v2", "", "V1"])
def test_unknown_versions(version: str) -> None:
    assert "FlowSchema s: apiVersion is" in refused(schema(version=version))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: &x 1\nb: *x", "anchor or alias in line 1"),
        ("a: b: c", "line 1"),
        ("kind: Pod\nkind: Node", "'kind' stands twice"),
        ('{"kind": "Pod", "kind": "Node"}', "'kind' stands twice"),
        ("!!python/object/apply:os.system [ls]", "neither YAML nor JSON"),
        ("[" * 200_000, "n"),
        ("[" * 5_000 + "]" * 5_000, "deep"),
        ('{"a":' * 5_000 + "1" + "}" * 5_000, "deep"),
        ('[{"kind": "Pod"}', "neither YAML nor JSON"),
        ('{"a": ' + "9" * 5_000 + "}", "JSON"),
        ("\ud800", "neither YAML nor JSON"),
        ("a: \x1b[31m", "neither YAML nor JSON"),
        ("just text", "'just text' stands where"),
        ("metadata: {name: a}", "without a kind"),
        ("[1]", "1 stands where an object"),
        (" " * 10_000_001, "larger than 10 MB"),
        ("é" * 5_000_001, "larger than 10 MB"),
    ],
)
def test_text_that_is_no_manifest(text: str, why: str) -> None:
    assert why in refused(text)


def test_messages_hold_no_more_of_hostile_values_than_can_be_read() -> None:
    told = refused(schema("\x1b[2J\u202e" + "x" * 300, matchingPrecedence="\x9b" * 10_000))

    assert told.isprintable()
    assert len(told) < 1_000


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["kind", "items", "metadata", "name", "spec", "type", "limited", "rules"]),
        inner | st.sampled_from(["FlowSchema", "PriorityLevelConfiguration", "List"]), max_size=4,
    ),
))  # fmt: skip
def test_no_document_does_more_than_be_refused(document: object) -> None:
    try:
        read_manifests(json.dumps(document))
        read_manifests(yaml.safe_dump(document))
    except Malformed as why:
        assert str(why).isprintable()


# Over what is there


def test_objects_of_the_same_names_replace_what_is_there() -> None:
    base = default_configuration(36)
    text = json.dumps([level("workload-low"), schema("service-accounts")])

    after = merged(base, read_manifests(text))

    assert after.priority_levels["workload-low"].shares == 30
    assert len(after.priority_levels) == len(base.priority_levels)
    assert [s.name for s in after.dangling] == ["service-accounts"]
    assert len(after.flow_schemas) == len(base.flow_schemas) - 1


def test_a_level_that_comes_later_makes_a_dangling_schema_count() -> None:
    first = merged(default_configuration(36), read_manifests(json.dumps(schema())))
    then = merged(first, read_manifests(json.dumps(level())))

    assert [known.name for known in first.dangling] == ["s"]
    assert then.dangling == ()
    assert classify(then, Caller("alice"), Call("get", resource="nodes")).flow_schema == "s"
