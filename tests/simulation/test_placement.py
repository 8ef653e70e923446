"""Where everybody fell, and how far the audit log and the counters agree on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from kubepostmortem.flowcontrol.identities import groups_by_name
from kubepostmortem.questions.question import Inquiry
from kubepostmortem.simulation.disagreement import disagreements
from kubepostmortem.simulation.effective import effective
from kubepostmortem.simulation.placement import placements
from kubepostmortem.store import Store
from planted import Event, at, request
from planted_windows import plant_windows
from simulation.flow_control_evidence import (
    DISPATCHED,
    REJECTED,
    default_objects,
    exported,
    level,
    metric,
    schema,
)

OTEL = {
    "user": "system:serviceaccount:telemetry:otel-agent",
    "agent": "otelcol-contrib/0.115.0 (linux/amd64)",
}
IDS = count(1)
OVERLOAD = 100  # seconds after the beginning


def asked(times: int, since: float = 0.0, **fields: Any) -> Iterator[Event]:
    """So many requests, one a second."""
    for second in range(times):
        yield from request(f"r{next(IDS)}", received=since + second, **fields)


@pytest.fixture
def windows(store: Store) -> None:
    """Both windows, set before anything is read."""
    plant_windows(store, (0, OVERLOAD), (OVERLOAD, 300))


def placed(store: Store) -> list[dict[str, Any]]:
    inquiry = Inquiry(store)
    return placements(inquiry, effective(inquiry, "prod"), "prod").to_dicts()


def levels(store: Store) -> dict[str, str]:
    return {row["component"]: row["priority_level"] for row in placed(store)}


@pytest.mark.usefixtures("windows")
def test_requests_are_counted_where_they_fell(read, store: Store) -> None:
    read(
        [
            *asked(3, **OTEL),
            *asked(6, OVERLOAD, **OTEL),
            *asked(4, OVERLOAD + 20, code=429, **OTEL),
            *asked(2, OVERLOAD, verb="get", resource="pods", namespace="shop", name="a"),
            *asked(5, 300, **OTEL),  # after all
        ]
    )

    assert placed(store) == [
        {
            "component": "otel-agent",
            "flow_schema": "service-accounts",
            "priority_level": "workload-low",
            "origin": "classified",
            "requests_baseline": 3,
            "requests_overload": 10,
            "refused_overload": 4,
            "share_refused": 0.4,
        },
        {
            "component": "kubelet",
            "flow_schema": "system-nodes",
            "priority_level": "system",
            "origin": "classified",
            "requests_baseline": 0,
            "requests_overload": 2,
            "refused_overload": 0,
            "share_refused": 0.0,
        },
    ]


@pytest.mark.usefixtures("windows")
def test_objects_of_the_cluster_decide(read, store: Store, tmp_path: Path) -> None:
    exported(store, tmp_path, *default_objects(33), level("fence"), schema("fence", "fence"))
    read([*asked(2, OVERLOAD, **OTEL)])

    assert levels(store) == {"otel-agent": "fence"}


@pytest.mark.usefixtures("windows")
def test_the_log_of_the_api_server_is_believed_more_than_the_rules(read, store: Store) -> None:
    read([*asked(1, OVERLOAD, **OTEL), *request("known", received=OVERLOAD + 5, **OTEL)])
    line = {
        "cluster": "prod",
        "logged_at": at(OVERLOAD + 5) + timedelta(milliseconds=10),
        "audit_id": "known",
        "verb": "LIST",
        "uri": "/api/v1/pods",
        "latency_ms": 10.0,
        "priority_level": "fence",
        "flow_schema": "telemetry",
        "ingest_id": 9,
    }
    store.insert("http_log", [line])

    found = {(r["origin"], r["priority_level"], r["requests_overload"]) for r in placed(store)}

    assert found == {("API server log", "fence", 1), ("classified", "workload-low", 1)}


@pytest.mark.usefixtures("windows")
def test_what_flow_control_never_saw_is_left_out(read, store: Store) -> None:
    read(
        [
            *asked(1, OVERLOAD, verb="get", subresource="log", name="a", namespace="x", **OTEL),
            *asked(1, OVERLOAD, code=401, user=None, agent="otelcol/1"),
            *asked(1, OVERLOAD, verb="get", namespace="x", name="b"),
        ]
    )

    assert levels(store) == {"kubelet": "system"}


@pytest.mark.usefixtures("windows")
def test_a_refused_eviction_is_not_refused_by_flow_control(read, store: Store) -> None:
    evicted = {"subresource": "eviction", "namespace": "shop", "name": "a", "verb": "create"}
    read([*asked(3, OVERLOAD, code=429, **evicted, **OTEL)])

    (row,) = placed(store)

    assert (row["requests_overload"], row["refused_overload"]) == (3, 0)


@pytest.mark.usefixtures("windows")
def test_who_is_impersonated_decides(read, store: Store) -> None:
    acting = {"impersonatedUser": {"username": "system:serviceaccount:kube-system:cilium"}}
    events = [
        *request("a", received=OVERLOAD, user="root"),
        *request("b", received=OVERLOAD, user="root", **acting),
    ]
    for event in events:
        event["user"]["groups"] = ["system:masters", "system:authenticated"]
    read(events)

    found = [(r["flow_schema"], r["priority_level"]) for r in placed(store)]

    assert sorted(found) == [
        ("exempt", "exempt"),
        ("kube-system-service-accounts", "workload-high"),
    ]


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize("user", ["'; drop table requests --", "日本", 'a"b\\', "system:node:"])
def test_any_name_may_call(read, store: Store, user: str) -> None:
    read([*asked(2, OVERLOAD, user=user, agent=user)])

    assert sum(row["requests_overload"] for row in placed(store)) == 2


def test_without_windows_nothing_is_placed(read, store: Store) -> None:
    read([*request("a")])
    store.run("delete from incident")

    assert placed(store) == []


@pytest.mark.parametrize(
    ("user", "groups"),
    [
        ("system:anonymous", {"system:unauthenticated"}),
        ("system:node:a", {"system:nodes", "system:authenticated"}),
        ("alice", {"system:authenticated"}),
        (
            "system:serviceaccount:shop:web",
            {"system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"},
        ),
    ],
)
def test_groups_that_a_name_alone_tells(user: str, groups: set[str]) -> None:
    assert set(groups_by_name(user)) == groups


def counter(store: Store, name: str, until: int, total: int, **labels: str) -> None:
    """A counter that rises evenly from the begin of the overload on."""
    samples = [(t, 1000 + total * max(0, t - OVERLOAD) / 200) for t in range(0, until + 1, 20)]
    metric(store, name, samples, instance="a", **labels)


def compared(store: Store) -> dict[str, dict[str, Any]]:
    inquiry = Inquiry(store)
    found = disagreements(inquiry, effective(inquiry, "prod"), "prod").to_dicts()
    return {row.pop("priority_level"): row for row in found}


def every_second(code: int, times: Sequence[int], **fields: Any) -> list[Event]:
    return [e for t in times for e in request(f"r{next(IDS)}", received=t, code=code, **fields)]


LOW = {"flow_schema": "service-accounts", "priority_level": "workload-low"}
NODES = {"flow_schema": "system-nodes", "priority_level": "system"}


@pytest.mark.usefixtures("windows")
def test_counters_that_agree_with_the_audit_log_need_no_words(read, store: Store) -> None:
    read(
        every_second(200, range(OVERLOAD, 300, 2), **OTEL)
        + every_second(429, range(OVERLOAD + 1, 300, 2), **OTEL)
    )
    counter(store, DISPATCHED, 300, 100, **LOW)
    counter(store, REJECTED, 300, 100, reason="queue-full", **LOW)

    assert compared(store) == {
        "workload-low": {
            "requests_audit": 200,
            "requests_counted": 200,
            "refused_audit": 100,
            "refused_counted": 100,
            "says": None,
        }
    }


@pytest.mark.usefixtures("windows")
def test_requests_that_the_log_lacks_are_told(read, store: Store) -> None:
    read(every_second(200, range(OVERLOAD, 300), **OTEL))
    counter(store, DISPATCHED, 300, 800, **LOW)
    counter(store, DISPATCHED, 300, 400, **NODES)

    found = compared(store)

    assert found["workload-low"]["says"].startswith(
        "Priority level workload-low: 200 requests in the audit log, 800 by the counters"
    )
    assert "0 requests in the audit log, 400" in found["system"]["says"]


@pytest.mark.usefixtures("windows")
def test_refusals_of_others_are_told(read, store: Store) -> None:
    read(every_second(429, range(OVERLOAD, 300), **OTEL))
    counter(store, DISPATCHED, 300, 200, **LOW)

    assert (
        "200 answered 429 in the audit log, 0 rejected" in compared(store)["workload-low"]["says"]
    )


@pytest.mark.usefixtures("windows")
def test_requests_are_compared_only_while_they_were_counted(read, store: Store) -> None:
    """Scrapes end in the middle of the overload."""
    read(every_second(200, range(OVERLOAD, 300), **OTEL))
    counter(store, DISPATCHED, 200, 200, **LOW)

    assert compared(store)["workload-low"] == {
        "requests_audit": 100,
        "requests_counted": 100,
        "refused_audit": 0,
        "refused_counted": 0,
        "says": None,
    }


@pytest.mark.usefixtures("windows")
def test_without_counters_nothing_is_compared(read, store: Store) -> None:
    read(every_second(200, range(OVERLOAD, 300), **OTEL))

    assert compared(store) == {}
