"""A fence holds exactly the culprit's requests, in as many seats as asked, and says its price."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubepostmortem.flowcontrol.allocation import nominal_limits
from kubepostmortem.flowcontrol.classify import Call, Caller, classify
from kubepostmortem.flowcontrol.collateral import Moved, collateral
from kubepostmortem.flowcontrol.configuration import EVERY_PATH, EVERYTHING, in_force
from kubepostmortem.flowcontrol.culprit import Culprit, caller
from kubepostmortem.flowcontrol.defaults import (
    default_configuration,
    default_flow_schemas,
    default_priority_levels,
)
from kubepostmortem.flowcontrol.fence import CannotFence, Fence, fence, fenced
from kubepostmortem.flowcontrol.fence_level import shares_for
from kubepostmortem.flowcontrol.hazards import filled_by_one_flow, hazards
from kubepostmortem.flowcontrol.manifests import read_manifests
from kubepostmortem.flowcontrol.objects import FlowSchema, PriorityLevel, Queuing, Rule, Subject
from kubepostmortem.flowcontrol.writing import manifest

DEFAULTS = default_configuration(36)
AGENT = "system:serviceaccount:telemetry:otel-agent"
CULPRIT = Culprit((AGENT,), ("list",), (("", "pods"), ("", "nodes"), ("apps", "daemonsets")))
PODS = Call("list", resource="pods")


def built(culprit: Culprit = CULPRIT, seats: int = 12, widest: int = 2, **fields) -> Fence:
    configuration = fields.pop("configuration", DEFAULTS)
    return fence(replace(culprit, **fields), configuration, 600, seats, widest)


def held(made: Fence, who: Caller, call: Call) -> bool:
    return classify(fenced(DEFAULTS, made), who, call).flow_schema == made.flow_schema.name


def with_schemas(*schemas: FlowSchema):
    levels = (*default_priority_levels(36), PriorityLevel("own", False, 5))
    return in_force(levels, (*default_flow_schemas(36), *schemas))


def schema(name: str, precedence: int, level: str = "own", user: str = AGENT) -> FlowSchema:
    rule = Rule((Subject("User", user),), (EVERYTHING,), (EVERY_PATH,))
    return FlowSchema(name, level, precedence, "", (rule,))


# Who and what is held


@pytest.mark.parametrize(
    ("user", "call", "is_held"),
    [
        (AGENT, PODS, True),
        (AGENT, Call("list", resource="pods", namespace="a"), True),
        (AGENT, Call("list", api_group="apps", resource="daemonsets"), True),
        (AGENT, Call("get", resource="pods", namespace="a"), False),
        (AGENT, Call("list", resource="pods", subresource="log"), False),
        (AGENT, Call("list", resource="secrets"), False),
        (AGENT, Call("list", resource="daemonsets"), False),
        (AGENT, Call("get", path="/metrics"), False),
        (f"{AGENT}-2", PODS, False),
        ("system:serviceaccount:telemetry-2:otel-agent", PODS, False),
        ("alice", PODS, False),
        ("system:node:a", PODS, False),
    ],
)
def test_a_fence_holds_what_the_culprit_asked_and_nothing_else(user, call, is_held) -> None:
    assert held(built(), caller(user), call) is is_held


def test_all_that_an_identity_asks_where_that_is_wanted() -> None:
    made = built(verbs=("*",), resources=(("*", "*"),))

    for call in (Call("delete", resource="secrets", namespace="a"), Call("get", path="/metrics")):
        assert held(made, caller(AGENT), call)
    assert made.comments["resourceRules"].startswith("All requests")


def test_scopes_are_those_of_the_culprit() -> None:
    own = built(namespaces=("a",), cluster_scope=False)
    whole = built(namespaces=(), cluster_scope=True)

    for namespace, by_own, by_whole in (("a", True, False), ("b", False, False), ("", False, True)):
        call = Call("list", resource="pods", namespace=namespace)
        assert held(own, caller(AGENT), call) is by_own
        assert held(whole, caller(AGENT), call) is by_whole


def test_paths_only_where_the_culprit_asked_for_them() -> None:
    made = built(verbs=("get",), paths=("/metrics", "/a b"))
    posted = built(verbs=("get", "post"), paths=("/metrics",))

    assert held(made, caller(AGENT), Call("get", path="/metrics"))
    assert not held(made, caller(AGENT), Call("post", path="/metrics"))
    assert held(posted, caller(AGENT), Call("post", path="/metrics"))
    assert any("1 of its paths" in warning for warning in made.warnings)


@pytest.mark.parametrize("namespaces", [("a", "A B"), ("*", "a")])
def test_namespaces_that_cannot_be_are_held_by_all(namespaces) -> None:
    made = built(namespaces=namespaces)

    assert made.flow_schema.rules[0].resource_rules[0].namespaces == ("*",)


def test_users_and_service_accounts_are_told_apart() -> None:
    made = built(users=(AGENT, "alice", "system:serviceaccount:odd"))

    assert made.flow_schema.rules[0].subjects == (
        Subject("ServiceAccount", "otel-agent", "telemetry"),
        Subject("User", "alice"),
        Subject("User", "system:serviceaccount:odd"),
    )


def test_several_nodes_are_their_group_and_that_is_said() -> None:
    made = built(users=("system:node:a", "system:node:b", AGENT))

    assert made.flow_schema.rules[0].subjects[0] == Subject("Group", "system:nodes")
    assert held(made, caller("system:node:c"), PODS)
    assert any("kubelets' own requests" in warning for warning in made.warnings)


@pytest.mark.parametrize("user", ["*", "", "system:serviceaccount:telemetry:*"])
def test_a_user_named_like_a_wildcard_is_not_everybody(user: str) -> None:
    made = built(users=(user, AGENT))

    assert not held(made, caller("alice"), PODS)
    assert not held(made, caller("system:serviceaccount:telemetry:other"), PODS)
    assert any("cannot stand in a FlowSchema" in warning for warning in made.warnings)


def test_who_shares_the_identity_is_said() -> None:
    assert any(
        "prometheus call as the same" in w for w in built(shared_with=("prometheus",)).warnings
    )
    assert built().warnings == ()


@pytest.mark.parametrize(
    "fields",
    [{"users": ()}, {"users": ("*",)}, {"resources": ()}, {"seats": 0}, {"seats": 600}],
)
def test_what_cannot_be_fenced(fields) -> None:
    with pytest.raises(CannotFence):
        built(**fields)


@given(
    users=st.lists(st.sampled_from([AGENT, "alice", "*", "system:node:a", "a\nb\u202e"]) | st.text(
        st.characters(exclude_categories=["Cs"])), max_size=3).map(tuple),
    verbs=st.lists(st.sampled_from(["get", "list", "*", "post", ""]), max_size=3).map(tuple),
    resources=st.lists(st.tuples(st.sampled_from(["", "apps", "*"]), st.sampled_from(
        ["pods", "*", "", "pods/status", "a\nb"])), max_size=3).map(tuple),
    namespaces=st.lists(st.sampled_from(["a", "*", "A b", "c"]), max_size=3).map(tuple),
    paths=st.lists(st.sampled_from(["/", "/a", "a", "*", "/a*b"]), max_size=3).map(tuple),
    component=st.text(max_size=90),
    seats=st.integers(1, 99), widest=st.integers(1, 100),
)  # fmt: skip
def test_every_fence_is_a_manifest_that_the_server_takes(
    users, verbs, resources, namespaces, paths, component, seats, widest
) -> None:
    culprit = Culprit(users, verbs, resources, component, namespaces, paths=paths)
    try:
        made = fence(culprit, DEFAULTS, 100, seats, widest)
    except CannotFence:
        return

    text = manifest(made.priority_level, made.flow_schema, comments=made.comments)

    read = read_manifests(text)
    assert (read.priority_levels, read.flow_schemas) == (
        (made.priority_level,),
        (made.flow_schema,),
    )
    assert all(sentence.isprintable() for sentence in (*made.reasons, *made.warnings))
    assert not held(made, caller("bob"), PODS) or "bob" in users


# Its place


@pytest.mark.parametrize(
    ("user", "precedence", "before"),
    [
        (AGENT, 8999, "service-accounts"),
        ("system:serviceaccount:kube-system:coredns", 899, "kube-system-service-accounts"),
        ("system:kube-scheduler", 799, "kube-scheduler"),
        ("alice", 9899, "global-default"),
        ("system:anonymous", 9899, "global-default"),
    ],
)
def test_a_fence_comes_just_before_what_matches_now(user, precedence, before) -> None:
    made = built(users=(user,))

    assert made.flow_schema.precedence == precedence
    assert f"Before {before} " in made.comments["matchingPrecedence"]


def test_heartbeats_of_nodes_stay_where_they_are() -> None:
    made = built(users=("system:node:a",), verbs=("*",), resources=(("*", "*"),))

    assert made.flow_schema.precedence == 499
    lease = Call("update", "coordination.k8s.io", "leases", namespace="kube-node-lease")
    assert not held(made, caller("system:node:a"), lease)
    assert held(made, caller("system:node:a"), PODS)
    assert any("match probes, system-node-high are not held" in w for w in made.warnings)


def test_who_is_exempt_is_not_held_and_that_is_said() -> None:
    made = built(users=("alice",), groups=("system:masters",))

    assert any("match exempt are not held" in warning for warning in made.warnings)


def test_a_schema_of_an_administrator_keeps_its_place_if_it_is_exempt() -> None:
    way_in = schema("zz-way-in", 8999, level="exempt", user="alice")

    made = built(configuration=with_schemas(way_in))

    assert (made.flow_schema.precedence, made.flow_schema.name) == (9000, "fence-otel-agent")
    assert "after zz-way-in (8999)" in made.comments["matchingPrecedence"]


@pytest.mark.parametrize(
    ("user", "own", "precedence"),
    [
        (AGENT, ("a-own", 700), 699),
        (AGENT, ("z-own", 401), 401),
        (AGENT, ("a-own", 401), 400),  # before system-node-high, which has none of its requests
        (AGENT, ("z-own", 400), 399),
        (AGENT, ("z-own", 2), 2),
        ("system:node:a", ("z-own", 401), 401),
    ],
)
def test_ties_are_decided_by_name(user, own, precedence) -> None:
    configuration = with_schemas(schema(*own, user=user))

    made = built(users=(user,), configuration=configuration)

    assert made.flow_schema.precedence == precedence
    flow = classify(fenced(configuration, made), caller(user), PODS)
    assert flow.flow_schema == made.flow_schema.name
    assert not any("by hand" in warning for warning in made.warnings)


def test_where_there_is_no_room_that_is_said() -> None:
    """Both keep or take requests of a node: system-node-high at 400, a-own at 401."""
    configuration = with_schemas(schema("a-own", 401, user="system:node:a"))

    made = built(users=("system:node:a",), resources=(("", "nodes"),), configuration=configuration)

    told = "no precedence after system-node-high and before a-own"
    assert any(told in warning for warning in made.warnings)
    assert made.flow_schema.precedence == 400


def test_names_are_labels_and_new() -> None:
    taken = with_schemas(schema("fence-otel-agent", 777, level="gone"))

    assert built().flow_schema.name == built().priority_level.name == "fence-otel-agent"
    assert built(configuration=taken).priority_level.name == "fence-otel-agent-2"
    assert built(component="OTel Agent (v1)").priority_level.name == "fence-otel-agent-v1"
    assert built(component="\u202e..").priority_level.name == "fence-culprit"


# Its seats


@given(seats=st.integers(1, 700), more=st.integers(1, 2000), others=st.integers(5, 900))
def test_the_fewest_shares_that_are_worth_the_seats(seats: int, more: int, others: int) -> None:
    limit = seats + more

    def worth(shares: int) -> int:
        levels = [PriorityLevel("a", False, others), PriorityLevel("b", False, shares)]
        return nominal_limits(limit, levels)["b"].nominal

    shares = shares_for(seats, limit, others)

    assert worth(shares) <= seats or shares == 1
    assert shares == 1 or worth(shares - 1) < worth(shares)
    assert worth(shares) == seats or worth(shares + 1) > seats


def test_a_fence_bounds_and_lends_but_does_not_borrow() -> None:
    made = built()
    limits = nominal_limits(600, fenced(DEFAULTS, made).priority_levels.values())

    assert (made.seats, limits["fence-otel-agent"].nominal) == (12, 12)
    assert limits["fence-otel-agent"].upper == 12
    assert limits["fence-otel-agent"].lower == 6


def test_a_fence_of_one_seat_keeps_it() -> None:
    made = fence(CULPRIT, DEFAULTS, 100, 1, 1)

    assert (made.seats, made.priority_level.lendable_percent) == (1, 0)
    assert "could start nothing" in made.comments["lendablePercent"]


def test_seats_that_shares_cannot_give_are_said() -> None:
    made = fence(CULPRIT, DEFAULTS, 6000, 30, 1)

    assert made.seats == 25
    assert any("30 seats cannot be had" in warning for warning in made.warnings)


# Its queues


def test_one_identity_is_one_flow_and_one_queue() -> None:
    made = built()

    assert made.priority_level.queuing == Queuing(1, 1, 50)
    assert made.flow_schema.distinguisher == ""


@pytest.mark.parametrize(
    ("seats", "widest", "hand"), [(12, 1, 6), (12, 2, 5), (12, 3, 3), (12, 10, 1), (5, 10, 1)]
)
def test_no_flow_of_several_fills_the_level_by_width(seats, widest, hand) -> None:
    made = built(users=("alice", "bob"), seats=seats, widest=widest)
    queuing = made.priority_level.queuing

    assert (queuing.hand_size, made.flow_schema.distinguisher) == (hand, "ByUser")
    assert queuing.hand_size * queuing.queue_length_limit <= 50
    assert filled_by_one_flow(made.priority_level, made.seats, widest) is (widest >= made.seats)
    assert any("all of the level" in warning for warning in made.warnings) is (widest >= made.seats)


# Its price


def test_what_it_costs_is_said_with_numbers() -> None:
    told = hazards(built(users=("a", "b")), DEFAULTS, 600, [1, 20])

    assert "Hand size 5 x 20 seats of the widest request reaches the 12 seats" in told[0]
    assert "up to 20 seats as 2, the most for a level of 12" in told[1]
    assert "15 s" in told[2]
    assert "workload-low 245 -> 240" in told[3]
    assert "not how much CPU" in told[4]


def test_a_narrow_culprit_has_no_hazard_of_width() -> None:
    told = hazards(built(), DEFAULTS, 600, [])

    assert "15 s" in told[0]
    assert len(told) == 3


def test_one_queue_has_no_flow_to_starve() -> None:
    assert not any("115409" in sentence for sentence in hazards(built(), DEFAULTS, 600, [99]))


def test_the_trap_of_wide_requests() -> None:
    level = PriorityLevel("a", False, 5, queuing=Queuing(64, 8, 50))

    assert filled_by_one_flow(level, 80, 10)
    assert not filled_by_one_flow(level, 81, 10)
    assert not filled_by_one_flow(replace(level, queuing=None), 1, 10)


def test_who_else_is_held() -> None:
    get = Call("get", resource="pods", namespace="a")
    asked = [
        ("otel-agent", caller(AGENT), PODS, 50),
        ("otel-agent", caller(AGENT), replace(PODS, namespace="b"), 7),
        ("otel-agent", caller(AGENT), get, 9),
        ("kubectl", caller(AGENT), PODS, 3),
        ("kubelet", caller("system:node:a"), PODS, 99),
    ]

    assert collateral(built(), DEFAULTS, asked) == (
        Moved("otel-agent", 57, "service-accounts", "workload-low"),
        Moved("kubectl", 3, "service-accounts", "workload-low"),
    )


@pytest.mark.parametrize(("cluster_scope", "before"), [(True, 699), (False, 8999)])
def test_only_schemas_of_the_same_scope_have_such_requests(cluster_scope, before) -> None:
    wide = replace(EVERYTHING, namespaces=())
    own = replace(schema("own", 700), rules=(Rule((Subject("User", AGENT),), (wide,)),))

    made = built(namespaces=("a",), cluster_scope=cluster_scope, configuration=with_schemas(own))

    assert made.flow_schema.precedence == before
