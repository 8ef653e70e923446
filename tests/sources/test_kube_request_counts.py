from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import Any

import pytest

from kubepostmortem.sources import kube_objects
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.source import Numbered, Target

AGENT = "system:serviceaccount:telemetry:node-agent"
WRITTEN = datetime(2024, 12, 11, 22, 53)


def user(requests: int, name: str = AGENT, agent: str = "otelcol/0.115.0", verb: str = "list"):
    by_verb = [{"verb": verb, "requestCount": requests}]
    return {"username": name, "userAgent": agent, "requestCount": requests, "byVerb": by_verb}


def log(*users: dict, total: int | None = None, node: str = "master-0") -> dict:
    """What one API server counted in an hour; total: of all clients, also those not listed."""
    requests = sum(one["requestCount"] for one in users) if total is None else total
    by_node = [{"nodeName": node, "requestCount": requests, "byUser": list(users)}]
    return {"byNode": by_node, "requestCount": requests}


def counts(hours: dict[int, dict], current: int | None, name: str = "pods.v1", **metadata: Any):
    """An APIRequestCount as OpenShift keeps it: 24 hours, the running one also by itself."""
    empty = {"requestCount": 0}
    status = {
        "last24h": [hours.get(hour, empty) for hour in range(24)],
        "currentHour": hours[current] if current is not None else empty,
        "requestCount": sum(one["requestCount"] for one in hours.values()),
    }
    return {
        "apiVersion": "apiserver.openshift.io/v1",
        "kind": "APIRequestCount",
        "metadata": {"name": name} | metadata,
        "status": status,
    }


def listing(*items: dict) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items, "metadata": {}})


@pytest.fixture
def taken(look):
    """Write a list of objects as if at a certain time."""

    def write(*items: dict, when: datetime = WRITTEN) -> InputFile:
        path = look(listing(*items)).path
        seconds = when.replace(tzinfo=UTC).timestamp()
        os.utime(path, (seconds, seconds))
        return InputFile.look(path)

    return write


def hours(store) -> dict[datetime, tuple[int, bool]]:
    rows = store.rows("select hour_at, requests, is_whole from api_request_counts")
    return {row["hour_at"]: (row["requests"], row["is_whole"]) for row in rows}


def test_a_count_is_read_with_its_hour_client_and_verb(taken, load, store):
    reading = load(kube_objects, taken(counts({22: log(user(7))}, 22)))

    assert store.rows("select * exclude ingest_id from api_request_counts") == [
        {
            "cluster": "prod",
            "hour_at": datetime(2024, 12, 11, 22),
            "resource": "pods",
            "api_group": "",
            "api_version": "v1",
            "node": "master-0",
            "username": AGENT,
            "user_agent": "otelcol/0.115.0",
            "verb": "list",
            "requests": 7,
            "is_whole": False,
        }
    ]
    assert "end with that of 2024-12-11T22:00:00Z, by 2024-12-11T22:53:00Z, the file's" in (
        reading.notes
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pods.v1", ("pods", "v1", "")),
        ("flowschemas.v1.flowcontrol.apiserver.k8s.io", ("flowschemas", "v1")),
        ("odd", ("odd", "", "")),
    ],
)
def test_the_name_tells_resource_version_and_group(taken, load, store, name, expected):
    load(kube_objects, taken(counts({22: log(user(7))}, 22, name)))

    group = "flowcontrol.apiserver.k8s.io"
    query = "select resource, api_version, api_group from api_request_counts"
    assert store.frame(query).rows() == [(*expected, group)[:3]]


def test_later_hours_are_of_the_day_before(taken, load, store):
    given = {21: log(user(5)), 22: log(user(7)), 23: log(user(3)), 0: log(user(4))}

    load(kube_objects, taken(counts(given, 22)))

    assert hours(store) == {
        datetime(2024, 12, 10, 23): (3, True),
        datetime(2024, 12, 11, 0): (4, True),
        datetime(2024, 12, 11, 21): (5, True),
        datetime(2024, 12, 11, 22): (7, False),
    }


def test_the_running_hour_stands_apart_and_the_file_may_be_younger(taken, load, store):
    idle = counts({21: log(user(9))}, None, "services.v1")

    load(kube_objects, taken(counts({22: log(user(7))}, 22), idle, when=datetime(2024, 12, 12, 9)))

    assert hours(store) == {
        datetime(2024, 12, 11, 21): (9, True),
        datetime(2024, 12, 11, 22): (7, False),
    }


def test_when_the_counts_were_written_is_better_than_when_the_file_was(taken, load, store):
    writes = [{"manager": "kube-apiserver", "time": "2024-12-11T22:50:00Z"}, {"time": "never"}]

    file = taken(counts({22: log(user(7))}, 22, managedFields=writes), when=datetime(2025, 6, 1))
    reading = load(kube_objects, file)

    assert list(hours(store)) == [datetime(2024, 12, 11, 22)]
    assert "by its managedFields" in reading.notes


def test_a_given_time_is_better_than_that_of_the_file(taken, target, store):
    given = Target(target.store, "prod", taken_at=datetime(2021, 12, 12, 1))

    kube_objects.load([Numbered(1, taken(counts({22: log(user(7))}, 22)))], given)

    assert list(hours(store)) == [datetime(2021, 12, 11, 22)]


def test_clients_outside_the_list_are_kept_as_one(taken, load, store):
    load(kube_objects, taken(counts({22: log(user(7), total=19)}, 22)))

    query = "select username, user_agent, verb, requests from api_request_counts order by requests"
    assert store.frame(query).rows() == [
        (AGENT, "otelcol/0.115.0", "list", 7),
        ("", "", "", 12),
    ]


def test_a_later_count_of_an_hour_replaces_the_earlier_one(taken, load, store):
    first = load(kube_objects, taken(counts({22: log(user(7))}, 22)))
    again = load(kube_objects, taken(counts({22: log(user(7))}, 22)))
    later = load(kube_objects, taken(counts({22: log(user(9))}, 22)))

    assert [(r.loaded, r.duplicates) for r in (first, again, later)] == [(1, 0), (0, 1), (1, 0)]
    assert hours(store) == {datetime(2024, 12, 11, 22): (9, False)}


def test_a_resource_that_nobody_asked_for_is_filtered(taken, load):
    reading = load(kube_objects, taken(counts({}, None), counts({}, None, "nodes.v1")))

    # The first object of a list carries how many objects the list has.
    assert (reading.lines, reading.filtered, reading.notes) == (2, 1, None)


@pytest.mark.parametrize(
    "status",
    [
        None,
        "x",
        {"last24h": 7},
        {"last24h": [None, {"byNode": "x"}, {"byNode": [7, {"byUser": [{"byVerb": [{}]}]}]}]},
        {"last24h": [{"byNode": [{"nodeName": "a", "requestCount": -4}]}] * 100},
        {"last24h": [{"byNode": [{"nodeName": "a", "requestCount": 10**30}]}], "currentHour": []},
    ],
)
def test_whatever_stands_in_the_status_never_raises(taken, load, status):
    thing = counts({}, None) | {"status": status}

    assert load(kube_objects, taken(thing)).lines == 1


def test_growth_by_hour_shows_who_grew_without_an_audit_log(taken, load, store):
    steady = user(100, "system:node:a", "kubelet/v1.33", "get")
    busy = log(user(5000), steady)
    other = {20: log(user(3), node="master-1"), 21: log(user(4), node="master-1")}
    load(
        kube_objects,
        taken(
            counts({20: log(user(10), steady), 21: busy, 22: log(user(1))}, 22),
            counts(other, None, "nodes.v1"),
        ),
    )

    rows = store.frame("select username, hour_at, resource, growth, is_whole from growth_by_hour")

    assert rows.row(0) == (AGENT, datetime(2024, 12, 11, 21), "pods", 4990, True)
    growth = {(row[0], row[1].hour, row[2]): row[3] for row in rows.rows()}
    assert growth[(AGENT, 21, "nodes")] == 1
    assert growth[(AGENT, 20, "pods")] is None
    assert growth[("system:node:a", 21, "pods")] == 0
    assert growth[(AGENT, 22, "pods")] == -4999
