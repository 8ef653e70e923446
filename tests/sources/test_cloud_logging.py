"""Entries of Cloud Logging become requests, as far as they tell what those were."""

from __future__ import annotations

import json

import pytest

from kubepostmortem.sources import cloud_logging
from planted import at, stamp

TYPE = "type.googleapis.com/google.cloud.audit.AuditLog"


def entry(
    name: str = "a", method: str = "core.v1.pods.list", resource: str = "core/v1/pods", **more
):
    """One entry; more replaces fields of its payload, or of the entry itself."""
    payload = {
        "@type": TYPE,
        "authenticationInfo": {"principalEmail": "system:node:node-1"},
        "methodName": f"io.k8s.{method}",
        "requestMetadata": {"callerIp": "10.1.4.42", "callerSuppliedUserAgent": "kubelet/v1"},
        "resourceName": resource,
        "serviceName": "k8s.io",
        "status": {},
    }
    own = {
        "insertId": f"insert-{name}",
        "labels": {"authorization.k8s.io/decision": "allow"},
        "operation": {"first": True, "id": name, "last": True, "producer": "k8s.io"},
        "timestamp": stamp(1),
    }
    payload |= {key: value for key, value in more.items() if key in payload}
    own |= {key: value for key, value in more.items() if key not in payload}
    return {**own, "protoPayload": payload}


WRITTEN = {
    "gcloud": lambda entries: json.dumps(entries, indent=2),
    "sorted keys": lambda entries: json.dumps(entries, indent=1, sort_keys=True),
    "a sink": lambda entries: "".join(f"{json.dumps(one)}\n" for one in entries),
    "the API": lambda entries: json.dumps({"entries": entries, "nextPageToken": "x"}),
}


@pytest.fixture
def given(look, load, store):
    """Load entries; return the reading and the requests."""

    def load_them(entries, written=WRITTEN["gcloud"]):
        reading = load(cloud_logging, look(written(entries)))
        return reading, store.rows("from requests order by audit_id")

    return load_them


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
def test_an_entry_is_a_request_however_it_was_written(given, written):
    reading, rows = given([entry("a"), entry("b"), {**entry("c"), "serviceName": ""}], written)

    assert (reading.lines, reading.loaded) == (3, 3)
    told = {
        "audit_id": "a", "received_at": at(1), "latency_ms": None, "verb": "list",
        "api_group": "", "api_version": "v1", "resource": "pods", "scope": "cluster",
        "uri_path": "/api/v1/pods", "username": "system:node:node-1", "source_ip": "10.1.4.42",
        "user_agent": "kubelet/v1", "code": 200, "decision": "allow", "stage": "ResponseComplete",
    }  # fmt: skip
    assert {key: rows[0][key] for key in told} == told


LEASE = "coordination.k8s.io/v1/namespaces/a/leases/b"


@pytest.mark.parametrize(
    ("resource", "path", "told"),
    [
        ("core/v1/nodes/n1", "/api/v1", ("", "nodes", None, "n1", None, "object")),
        ("core/v1/nodes/n1/status", "/api/v1", ("", "nodes", None, "n1", "status", "object")),
        ("core/v1/namespaces/a/pods", "/api/v1", ("", "pods", "a", None, None, "namespace")),
        ("core/v1/namespaces/a/pods/b/log", "/api/v1", ("", "pods", "a", "b", "log", "object")),
        ("core/v1/namespaces/a", "/api/v1", ("", "namespaces", None, "a", None, "object")),
        ("core/v1/namespaces", "/api/v1", ("", "namespaces", None, None, None, "cluster")),
        (LEASE, "/apis/coordination.k8s.io/v1",
         ("coordination.k8s.io", "leases", "a", "b", None, "object")),
        ("healthz", "/healthz", (None, None, None, None, None, "nonresource")),
        ("apis/apps/v1", "/apis/apps/v1", (None, None, None, None, None, "nonresource")),
    ],
)  # fmt: skip
def test_the_name_of_a_resource_is_taken_apart(given, resource, path, told):
    _, (row,) = given([entry(resource=resource)])

    keys = ("api_group", "resource", "namespace", "name", "subresource", "scope")
    assert tuple(row[key] for key in keys) == told
    rest = resource.partition("/v1/")[2]
    assert row["uri_path"] == (f"{path}/{rest}" if rest else path)


@pytest.mark.parametrize(
    ("status", "method", "code"),
    [
        ({}, "list", 200), ({"code": 0}, "create", 201), ({"code": 8}, "list", 429),
        ({"code": 7}, "get", 403), ({"code": 5}, "get", 404), ({"code": 14}, "get", 503),
        ({"code": 4}, "get", 504), ({"code": 77}, "get", 500), (None, "get", 200),
    ],
)  # fmt: skip
def test_status_codes_are_those_of_http(given, status, method, code):
    _, (row,) = given([entry(method=f"core.v1.pods.{method}", status=status)])

    assert (row["code"], row["verb"]) == (code, method)


@pytest.mark.parametrize("spelling", ["callerIp", "callerIP"])
def test_the_address_of_the_caller_is_read_in_both_spellings(given, spelling):
    _, (row,) = given([entry(requestMetadata={spelling: "10.1.1.1"})])

    assert row["source_ip"] == "10.1.1.1"


def test_the_two_entries_of_a_long_operation_are_one_open_request(given):
    begin = entry("w", "core.v1.pods.watch", operation={"id": "w", "first": True})
    end = entry("w", "core.v1.pods.watch", operation={"id": "w", "last": True}, timestamp=stamp(60))
    reading, rows = given([begin, end])

    assert (reading.loaded, reading.filtered) == (1, 1)
    assert "1 ends of long-running operations" in reading.notes
    assert [(row["stage"], row["received_at"]) for row in rows] == [("ResponseStarted", at(1))]


def test_entries_of_other_services_are_left_out_by_name(given):
    other = entry("x", serviceName="compute.googleapis.com", operation={"id": "x"})
    reading, rows = given([entry("a"), other])

    assert (reading.loaded, reading.filtered, len(rows)) == (1, 1, 1)
    assert "left out: 1 entries of other services" in reading.notes


def test_an_entry_that_was_cut_is_rejected(look, load, store):
    text = json.dumps([entry("a"), entry("b")])
    reading = load(cloud_logging, look(text[: text.index('"protoPayload"', 500) + 20]))

    assert (reading.loaded, sum(reading.rejected.values())) == (1, 1)
    (row,) = store.rows("from rejected_lines")
    assert text[row["byte_offset"] :].startswith('{"insertId": "insert-b"')
