"""Which request goes where: one rule of matching at a time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubepostmortem.flowcontrol.classify import Call, Caller, Flow, classify
from kubepostmortem.flowcontrol.configuration import Configuration, in_force
from kubepostmortem.flowcontrol.defaults import (
    default_configuration,
    default_flow_schemas,
    default_priority_levels,
)
from kubepostmortem.flowcontrol.objects import (
    FlowSchema,
    NonResourceRule,
    PriorityLevel,
    Queuing,
    ResourceRule,
    Rule,
    Subject,
)

LEVEL = PriorityLevel("level", exempt=False, shares=10, queuing=Queuing(8, 2, 10))
ANYTHING = ResourceRule(("*",), ("*",), ("*",), cluster_scope=True, namespaces=("*",))
ANY_PATH = NonResourceRule(("*",), ("*",))
PODS = Call("list", resource="pods", namespace="a")
ALICE = Caller("alice", ("devs", "system:authenticated"))


def schema(
    *resource_rules: ResourceRule,
    subject: Subject | None = None,
    paths: tuple[str, ...] = (),
    name: str = "tested",
    precedence: int = 50,
    distinguisher: str = "",
    level: str = "level",
) -> FlowSchema:
    nonresource = (NonResourceRule(("*",), paths),) if paths else ()
    rule = Rule((subject or Subject("User", "*"),), resource_rules or (ANYTHING,), nonresource)
    return FlowSchema(name, level, precedence, distinguisher, (rule,))


def goes(call: Call, *schemas: FlowSchema, caller: Caller = ALICE) -> Flow:
    return classify(in_force([LEVEL], schemas), caller, call)


def matched(call: Call, one: FlowSchema, caller: Caller = ALICE) -> bool:
    return goes(call, one, caller=caller).flow_schema == "tested"


@pytest.mark.parametrize(
    ("subject", "matches"),
    [
        (Subject("User", "alice"), True),
        (Subject("User", "Alice"), False),
        (Subject("User", "*"), True),
        (Subject("Group", "devs"), True),
        (Subject("Group", "dev"), False),
        (Subject("Group", "*"), True),
        (Subject("ServiceAccount", "*", "a"), False),
    ],
)
def test_subjects_are_users_and_groups(subject: Subject, matches: bool) -> None:
    assert matched(PODS, schema(subject=subject)) is matches


@pytest.mark.parametrize(
    ("user", "name", "matches"),
    [
        ("system:serviceaccount:a:agent", "agent", True),
        ("system:serviceaccount:a:agent", "*", True),
        ("system:serviceaccount:a:other", "agent", False),
        ("system:serviceaccount:aa:agent", "*", False),
        ("agent", "agent", False),
    ],
)
def test_service_accounts_are_told_by_name(user: str, name: str, matches: bool) -> None:
    subject = Subject("ServiceAccount", name, "a")

    assert matched(PODS, schema(subject=subject), Caller(user)) is matches


@pytest.mark.parametrize(
    ("changed", "matches"),
    [
        ({}, True),
        ({"verb": "watch"}, False),
        ({"api_group": "apps"}, False),
        ({"resource": "nodes"}, False),
        ({"subresource": "status"}, False),
        ({"namespace": "b"}, False),
        ({"namespace": ""}, False),
        ({"name": "x"}, True),
    ],
)
def test_a_resource_rule_needs_all_it_names(changed: dict, matches: bool) -> None:
    rule = ResourceRule(("list",), ("",), ("pods",), cluster_scope=False, namespaces=("a",))

    assert matched(replace(PODS, **changed), schema(rule)) is matches


def test_cluster_scope_is_asked_for_by_itself() -> None:
    cluster_wide = ResourceRule(("*",), ("*",), ("*",), cluster_scope=True, namespaces=())

    assert matched(replace(PODS, namespace=""), schema(cluster_wide))
    assert not matched(PODS, schema(cluster_wide))


def test_a_star_beside_others_stands_for_itself() -> None:
    rule = ResourceRule(("*", "get"), ("*",), ("*",), cluster_scope=True, namespaces=("*",))

    assert not matched(PODS, schema(rule))
    assert matched(replace(PODS, verb="get"), schema(rule))


def test_subresources_have_rules_of_their_own() -> None:
    rule = ResourceRule(("*",), ("*",), ("pods/status",), cluster_scope=True, namespaces=("*",))

    assert matched(replace(PODS, subresource="status"), schema(rule))
    assert not matched(PODS, schema(rule))


@pytest.mark.parametrize(
    ("rule", "path", "matches"),
    [
        ("/healthz", "/healthz", True),
        ("/healthz", "/healthz/etcd", True),
        ("/healthz", "/healthzz", False),
        ("/openapi/*", "/openapi/v3", True),
        ("/openapi/*", "/openapi", False),
        ("/", "/version", True),
        ("*", "/version", True),
    ],
)
def test_paths_cover_what_lies_below(rule: str, path: str, matches: bool) -> None:
    assert matched(Call("get", path=path), schema(paths=(rule,))) is matches


def test_resources_match_no_rule_of_paths() -> None:
    only_paths = Rule((Subject("User", "*"),), (), (ANY_PATH,))

    assert not matched(PODS, FlowSchema("tested", "level", 1, rules=(only_paths,)))


def test_the_least_precedence_wins_then_the_name() -> None:
    late = schema(name="a", precedence=60)
    tied = [schema(name="c"), schema(name="b")]

    assert goes(PODS, late, *tied).flow_schema == "b"


def test_a_schema_without_its_level_counts_for_nothing() -> None:
    dangling = schema(name="dangling", precedence=2, level="nowhere")
    configuration = in_force([LEVEL], [dangling, schema()])

    assert classify(configuration, ALICE, PODS).flow_schema == "tested"
    assert configuration.dangling == (dangling,)


def test_a_mandatory_level_that_is_not_given_is_no_level_of_other_schemas() -> None:
    assert goes(PODS, schema(level="exempt")).flow_schema == "catch-all"


def test_mandatory_levels() -> None:
    levels = in_force([], []).priority_levels

    assert levels == {
        "exempt": PriorityLevel("exempt", exempt=True, shares=0),
        "catch-all": PriorityLevel("catch-all", exempt=False, shares=5),
    }


def test_exempt_comes_first_and_catch_all_last_unless_given() -> None:
    own = schema(name="exempt", precedence=70)

    given_none, given_one = in_force([LEVEL], [schema()]), in_force([LEVEL], [schema(), own])

    assert [s.name for s in given_none.flow_schemas] == ["exempt", "tested", "catch-all"]
    assert [s.name for s in given_one.flow_schemas] == ["tested", "exempt", "catch-all"]
    assert given_none.priority_levels["exempt"].exempt
    assert given_none.priority_levels["catch-all"].queuing is None


def test_what_matches_nothing_is_caught() -> None:
    assert classify(in_force([LEVEL], []), Caller("nobody"), PODS).priority_level == "catch-all"


@pytest.mark.parametrize(
    ("distinguisher", "expected"), [("", ""), ("ByUser", "alice"), ("ByNamespace", "a")]
)
def test_flows_are_told_apart(distinguisher: str, expected: str) -> None:
    assert goes(PODS, schema(distinguisher=distinguisher)).distinguisher == expected


@pytest.mark.parametrize("queuing", [None, Queuing(1, 1, 10)])
def test_one_queue_tells_no_flows_apart(queuing: Queuing | None) -> None:
    configuration = in_force([replace(LEVEL, queuing=queuing)], [schema(distinguisher="ByUser")])

    assert classify(configuration, ALICE, PODS).distinguisher == ""


@pytest.mark.parametrize(
    ("user", "groups", "level"),
    [
        ("kubernetes-admin", ("system:masters",), "exempt"),
        ("kubernetes-admin", ("kubeadm:cluster-admins",), "global-default"),
        ("system:node:n1", ("system:nodes",), "system"),
        ("system:serviceaccount:kube-system:coredns", ("system:serviceaccounts",), "workload-high"),
        ("system:serviceaccount:telemetry:agent", ("system:serviceaccounts",), "workload-low"),
        ("system:anonymous", (), "catch-all"),
    ],
)
def test_callers_of_a_new_cluster(user: str, groups: tuple[str, ...], level: str) -> None:
    known = (*groups, "system:authenticated") if user != "system:anonymous" else groups

    flow = classify(default_configuration(31), Caller(user, known), PODS)

    assert flow.priority_level == level


@pytest.mark.parametrize(
    ("minor", "known"),
    [
        (21, {"node-high": False, "probes": False, "endpoint-controller": False}),
        (23, {"node-high": True, "probes": True, "endpoint-controller": False}),
        (24, {"endpoint-controller": True, "workload-leader-election": True}),
        (33, {"endpoint-controller": True, "workload-leader-election": True}),
        (34, {"endpoint-controller": False, "workload-leader-election": False}),
    ],
)
def test_default_objects_come_and_go(minor: int, known: dict[str, bool]) -> None:
    names = {o.name for o in (*default_priority_levels(minor), *default_flow_schemas(minor))}

    assert {name: name in names for name in known} == known


@pytest.mark.parametrize(("minor", "lendable"), [(25, 0), (26, 90)])
def test_levels_lend_since_1_26(minor: int, lendable: int) -> None:
    levels = default_configuration(minor).priority_levels

    assert levels["workload-low"].lendable_percent == lendable


@given(
    user=st.text(max_size=40),
    groups=st.lists(st.sampled_from(["system:masters", "system:nodes", "x"]), max_size=3),
    verb=st.sampled_from(["get", "list", "post", ""]),
    resource=st.text(max_size=10),
    namespace=st.text(max_size=10),
    path=st.text(max_size=20),
)
def test_every_request_has_a_flow(user, groups, verb, resource, namespace, path) -> None:
    configuration: Configuration = default_configuration(36)
    call = Call(verb, resource=resource, namespace=namespace, path=path)

    flow = classify(configuration, Caller(user, tuple(groups)), call)

    assert flow.priority_level in configuration.priority_levels
    if "system:masters" in groups:
        assert flow.priority_level == "exempt"
