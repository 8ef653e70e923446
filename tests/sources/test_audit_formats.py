"""One example of each wrapping of audit events: recognised, loaded, and loaded once only."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from kubepostmortem.ingest import ingest
from kubepostmortem.sources import audit_legacy
from planted import event, lines

FORMATS = Path(__file__).parent.parent / "data" / "formats"
AUDIT_ID = "6f2c0c5e-6d3c-4d0a-9a57-2f1f7d5b1c01"
EXAMPLES = {
    "aks_loganalytics.json": ("AKS Log Analytics", "kube-apiserver-7c9f8-abcde"),
    "aks_storage_PT1H.json": ("AKS diagnostic logs", "kube-apiserver-7c9f8-abcde"),
    "audit_eventlist.json": ("audit.k8s.io EventList", ""),
    "audit_legacy.txt": ("legacy audit text", ""),
    "audit_v1.jsonl": ("audit.k8s.io/v1 lines", ""),
    "eks_filter_log_events.json": (
        "EKS CloudWatch Logs",
        "kube-apiserver-audit-4e9f9d6f9d15381d05d77c5df3f7d329",
    ),
    "eks_firehose_subscription.json": ("EKS CloudWatch Logs", "kube-apiserver-audit-4e9f"),
    "eks_insights.csv": ("EKS CloudWatch Insights", "kube-apiserver-audit-4e9f"),
    "eks_s3_export": ("EKS CloudWatch export", "kube-apiserver-audit-4e9f9d6f"),
    "gke_logentry.json": ("GKE Cloud Logging", ""),
    "must-gather": ("audit.k8s.io/v1 lines", "kube-apiserver/master-0"),
}


@pytest.mark.parametrize(("name", "told"), EXAMPLES.items(), ids=EXAMPLES)
def test_an_example_is_one_request_however_often_it_is_read(store, tmp_path, name, told):
    (outcome,) = ingest(store, [FORMATS / name], "prod")
    (again,) = ingest(store, [FORMATS / name], "prod")

    assert (outcome.format, outcome.reading.rejected) == (told[0], {})
    assert again.skipped
    (row,) = store.rows("from requests where audit_id = $id", id=AUDIT_ID)
    assert (row["apiserver"] or "") == told[1]
    assert (row["verb"], row["resource"], row["code"]) == ("list", "pods", 200)
    assert row["username"] == "system:serviceaccount:telemetry:node-agent"
    assert row["uri_path"] == "/api/v1/pods"
    assert row["source_ip"] == "10.1.4.42"


def test_all_examples_together_are_told_apart_by_what_they_hold(store):
    """All but two hold the same event: GKE tells its time alone, and legacy text its last stage."""
    ingest(store, [FORMATS / name for name in EXAMPLES], "prod")

    ids = store.frame("select audit_id, count(*) as times from requests group by all order by all")
    assert dict(ids.rows())[AUDIT_ID] == 2


@pytest.mark.parametrize("version", ["v1alpha1", "v1beta1", "v1"])
def test_older_versions_of_events_are_read(store, tmp_path, version):
    old = event(apiVersion=f"audit.k8s.io/{version}")
    (tmp_path / "audit.log").write_bytes(b"".join(lines([old])))
    (tmp_path / "list.json").write_text(json.dumps({"kind": "EventList", "items": [old]}))

    outcomes = ingest(store, [tmp_path], "prod")

    assert [(o.reading.loaded, o.reading.duplicates) for o in outcomes] == [(1, 0), (0, 1)]


# The legacy text


def legacy(stage: str, stamp: str, **more: str) -> str:
    pairs = {
        "id": "a", "stage": stage, "ip": "10.0.0.1", "method": "GET", "user": "bob",
        "groups": r"\"dev\",\"system:authenticated\"", "as": "<self>", "asgroups": "<lookup>",
        "user-agent": "kubectl/v1.11", "namespace": "shop", "response": "200",
        "uri": "/apis/apps/v1/namespaces/shop/deployments/web/scale?timeout=32s",
    } | more  # fmt: skip
    told = " ".join(f'{key}="{value}"' for key, value in pairs.items())
    return f"2018-07-01T12:00:{stamp}Z AUDIT: {told}\n"


def test_the_lines_of_a_legacy_request_are_folded(store, look, load):
    received = legacy("RequestReceived", "00.25", response="<deferred>")
    reading = load(audit_legacy, look(received + legacy("ResponseComplete", "01.5")))

    assert (reading.loaded, reading.rejected) == (2, {})
    (row,) = store.rows("from requests")
    told = {
        "latency_ms": 1250.0, "verb": "get", "api_group": "apps", "resource": "deployments",
        "namespace": "shop", "name": "web", "subresource": "scale", "username": "bob",
        "user_groups": ["dev", "system:authenticated"], "impersonated_user": None, "code": 200,
        "received_at": datetime(2018, 7, 1, 12, 0, 0, 250_000), "stage": "ResponseComplete",
    }  # fmt: skip
    assert {key: row[key] for key in told} == told


@pytest.mark.parametrize(
    "line", ["what?\n", '2018-07-01T12:00:00Z AUDIT: id="a\n', "2018-07-01T12:00:00Z AUDIT: x\n"]
)
def test_a_damaged_legacy_line_is_rejected_where_it_stands(store, look, load, line):
    good = legacy("ResponseComplete", "01.5")

    reading = load(audit_legacy, look(good + line + good.replace('"a"', '"b"')))

    assert (reading.loaded, reading.rejected) == (2, {audit_legacy.NO_LINE: 1})
    (row,) = store.rows("from rejected_lines")
    assert (row["line"], row["byte_offset"]) == (2, len(good))
    assert row["excerpt"] == line
