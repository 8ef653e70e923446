"""The load as read from a database: whose calls, who asks for what, of which span."""

from __future__ import annotations

import pytest

from kubepostmortem.flowcontrol.classify import Caller
from kubepostmortem.questions.question import Inquiry
from kubepostmortem.simulation import load as module
from kubepostmortem.simulation.load import Load, Suspect, read_load
from kubepostmortem.store import Store
from planted import at
from simulation.planted_calls import ADMIN, LEASE, OTEL, calls, even

PODS = {"verb": "list", "resource": "pods"}
NODES = {"verb": "list", "resource": "nodes"}


def loaded(
    store: Store, suspect: Suspect | None = None, begins: float = 0, ends: float = 300
) -> Load:
    return read_load(Inquiry(store), "prod", str(at(begins)), str(at(ends)), suspect)


def groups(found: Load) -> dict[str, int]:
    return dict(found.calls["caller_group"].value_counts().rows())


def test_only_calls_of_the_span_are_read(read, store: Store) -> None:
    read([*calls((9.999999, 200), (10, 200), (20, 200), (30, 200), **OTEL)])

    found = loaded(store, begins=10, ends=30)

    seconds = (found.calls["received_ns"] // 10**9 % 60).to_list()
    assert (seconds, found.complete, found.until) == ([10, 20], True, None)


@pytest.mark.parametrize(
    ("suspect", "culprits"),
    [
        (None, 0),
        (Suspect("otel-agent"), 5),
        (Suspect("otel-agent", ("get",)), 0),
        (Suspect("otel-agent", ("list",), ("pods",)), 3),
        (Suspect("otel-agent", resources=("nodes", "events")), 2),
        (Suspect(None, resources=("pods",)), 7),
        (Suspect("'; drop table requests; --"), 0),
    ],
)
def test_the_suspect_is_told_from_others(
    read, store: Store, suspect: Suspect | None, culprits: int
) -> None:
    ours = [*calls(*even(0, 3, 1), **OTEL, **PODS), *calls(*even(0, 2, 1), **OTEL, **NODES)]
    read([*ours, *calls(*even(0, 4, 1), **ADMIN)])

    found = groups(loaded(store, suspect))

    assert found.get("culprit", 0) == culprits
    assert sum(found.values()) == 9


def test_calls_name_who_asks_for_what(read, store: Store) -> None:
    agent = calls((1, 200), **OTEL, **PODS, uri="/api/v1/pods?limit=500&resourceVersion=77")
    kubelet = calls((2, 200), **LEASE, groups=["system:nodes", "system:authenticated"])
    path = calls((3, 200), verb="get", resource=None, uri="/healthz?verbose", user="x")
    read([*agent, *kubelet, *path])

    found = loaded(store)

    asked = [found.asked[place] for place in found.calls["call"]]
    assert [(x.call.verb, x.call.full_resource, x.call.namespace) for x in asked[:2]] == [
        ("list", "pods", ""),
        ("update", "leases", "kube-node-lease"),
    ]
    assert asked[0].url == "?limit=500&resourceVersion=1"
    assert (asked[2].call.of_resource, asked[2].call.path) == (False, "/healthz")
    assert [found.callers[place].user for place in found.calls["caller"]] == [
        OTEL["user"],
        "system:node:node-1",
        "x",
    ]


@pytest.mark.parametrize(
    ("user", "groups"),
    [
        (
            "system:serviceaccount:shop:web",
            ("system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"),
        ),
        ("system:node:n1", ("system:nodes", "system:authenticated")),
        ("system:anonymous", ("system:unauthenticated",)),
        ("alice", ("system:authenticated",)),
    ],
)
def test_where_groups_are_not_told_the_name_tells_them(
    read, store: Store, user: str, groups: tuple[str, ...]
) -> None:
    read([*calls((1, 200), user=user)])

    assert loaded(store).callers == (Caller(user, groups),)


def test_what_differs_for_flow_control_is_another_call(read, store: Store) -> None:
    uris = [
        "/api/v1/pods",
        "/api/v1/pods?resourceVersion=0",
        "/api/v1/pods?resourceVersion=5",
        "/api/v1/pods?resourceVersion=6",
        "/api/v1/pods?labelSelector=a%3Db",
        "/api/v1/pods?labelSelector=a%3Dc",
        "/api/v1/pods?limit=1",
        "/api/v1/pods?fieldSelector=metadata.name%3Da",
        "/api/v1/pods?fieldSelector=metadata.name%3Db",
    ]
    read([e for n, uri in enumerate(uris) for e in calls((n, 200), uri=uri, **OTEL, **PODS)])

    assert len(loaded(store).asked) == 6


def test_streams_have_no_latency(read, store: Store) -> None:
    read(
        [
            *calls((1, 101, 500.0), subresource="exec", **ADMIN),
            *calls((2, 200, 500.0), verb="watch", resource="pods", **OTEL),
            *calls((3, 200, 0.5), **ADMIN),
        ]
    )

    told = loaded(store).calls.select("streams", "latency_ms").rows()
    assert told == [(True, None), (True, None), (False, 500.0)]


def test_of_too_many_calls_the_first_are_replayed(
    read, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_CALLS", 3)
    monkeypatch.setattr(module, "CALLS", module.CALLS.replace("limit 5000000", "limit 3"))
    read([*calls(*even(0, 50, 10), **OTEL)])

    found = loaded(store)

    assert (len(found.calls), found.complete, found.until) == (3, False, at(20))


def test_no_calls_are_a_load_too(store: Store) -> None:
    found = loaded(store)

    assert (len(found.calls), found.callers, found.asked, found.complete) == (0, (), (), True)


def test_names_are_only_names(read, store: Store) -> None:
    hostile = "system:serviceaccount:x:'); drop table requests; --"
    user = {"user": hostile, "agent": "a'b\";--/1.0 ☃", "pod": "';--"}
    read([*calls(*even(0, 3, 1), **user, **PODS), *calls(*even(0, 3, 1), user="", **PODS)])

    found = loaded(store, Suspect("';--"))

    assert {caller.user for caller in found.callers} == {hostile, ""}
    assert len(found.calls) == 6


def test_places_lead_to_the_right_ones_among_many(read, store: Store) -> None:
    events = [
        e
        for n in range(60)
        for e in calls((n, 200), user=f"u{n}", namespace=f"ns{n}", verb="get", name="x")
    ]
    read(events)

    found = loaded(store)

    pairs = [
        (found.callers[who].user, found.asked[what].call.namespace)
        for who, what in found.calls.select("caller", "call").rows()
    ]
    assert pairs == [(f"u{n}", f"ns{n}") for n in range(60)]
