"""What the shared loaders do with any format: nothing twice, and every record counted."""

from __future__ import annotations

import json
from datetime import datetime

import polars as pl
import pytest

from kubepostmortem.model import TABLES
from kubepostmortem.sources import (
    apiserver_flags,
    apiserver_log,
    argocd,
    deploy_timeline,
    dns_probes,
    exposition,
    flux,
    github,
    gitlab,
    helm,
    incident_timeline,
    kube_objects,
    metrics_table,
    prometheus_api,
    spinnaker,
    victoriametrics,
)
from kubepostmortem.sources.documents import Contents, load_documents
from kubepostmortem.sources.samples import SAMPLES, SERIES, Samples, load_samples
from kubepostmortem.sources.source import Numbered, Rejection, Target

FLOW_CONTROL = "flowcontrol.apiserver.k8s.io/v1"
RECORDED = {
    "apiserver_config.json": apiserver_flags,
    "apiserver_request_total.json": prometheus_api,
    "cicd_deployments.csv": deploy_timeline,
    "cicd_deployments.json": deploy_timeline,
    "dns_probes.csv": dns_probes,
    "formats/argocd_app.json": argocd,
    "formats/deploys.csv": deploy_timeline,
    "formats/flux_event.json": flux,
    "formats/github_deployments.json": github,
    "formats/gitlab_deployments.json": gitlab,
    "formats/helm_history.json": helm,
    "formats/helm_list.json": helm,
    "formats/incident_timeline.csv": incident_timeline,
    "formats/metrics.prom": exposition,
    "formats/metrics_long.csv": metrics_table,
    "formats/prom_query_range.json": prometheus_api,
    "formats/promtool_dump.txt": exposition,
    "formats/promtool_openmetrics.txt": exposition,
    "formats/spinnaker_pipelines.json": spinnaker,
    "formats/victoriametrics_export.jsonl": victoriametrics,
    "formats/apiserver_httplog.txt": apiserver_log,
    "formats/kubectl_objects.json": kube_objects,
    "kubectl_objects.json": kube_objects,
    "peak.apiserver.txt": exposition,
}


def rows(store) -> dict[str, int]:
    return {table: store.value(f"select count(*) from {table}") for table in TABLES}


@pytest.mark.parametrize(("name", "source"), RECORDED.items(), ids=RECORDED)
def test_a_file_read_twice_changes_nothing(recorded, load, store, name, source):
    first = load(source, recorded(name))
    before = rows(store)
    again = load(source, recorded(name))

    assert first.loaded > 0
    assert (again.loaded, again.duplicates) == (0, first.loaded + first.duplicates)
    assert (again.filtered, again.rejected) == (first.filtered, first.rejected)
    assert (again.first_at, again.last_at) == (first.first_at, first.last_at)
    assert rows(store) == before


@pytest.mark.parametrize(("name", "source"), RECORDED.items(), ids=RECORDED)
def test_two_clusters_keep_their_own_rows(recorded, store, name, source):
    readings = [
        source.load([Numbered(n, recorded(name))], Target(store, cluster))[0]
        for n, cluster in enumerate(("blue", "green"))
    ]

    assert readings[0].loaded == readings[1].loaded


@pytest.mark.parametrize(("name", "source"), RECORDED.items(), ids=RECORDED)
def test_a_file_cut_anywhere_is_counted_and_never_raises(recorded, look, load, name, source):
    whole = recorded(name).path.read_bytes()

    for n, size in enumerate(range(1, len(whole), len(whole) // 12)):
        load(source, look(whole[:size], f"cut-{n}"))


def test_a_batch_knows_what_its_first_files_said(target, recorded):
    names = ("cicd_deployments.csv", "cicd_deployments.json", "cicd_deployments.csv")
    batch = [Numbered(n, recorded(name)) for n, name in enumerate(names)]

    readings = deploy_timeline.load(batch, target)

    assert [(r.loaded, r.duplicates) for r in readings] == [(6, 0), (0, 6), (0, 6)]


def load_contents(contents: Contents, target: Target):
    return load_documents(lambda file, target: contents, [Numbered(1, None)], target)[0]


def test_a_record_counts_once_whatever_rows_it_gives(target, store):
    contents = Contents(records=1)
    for setting in ("a", "b"):
        contents.add("apiserver_config", apiserver="", setting=setting, value="1")
    contents.add("listed_objects", resource="pods", objects=7)

    reading = load_contents(contents, target)

    assert (reading.lines, reading.loaded) == (1, 1)
    assert store.value("select count(*) from apiserver_config") == 2


def test_rejected_and_filtered_records_are_no_duplicates(target):
    contents = Contents(records=3, filtered=1, rejections=[Rejection("no", b"")])
    contents.add("listed_objects", resource="pods", objects=7)

    reading = load_contents(contents, target)

    assert (reading.loaded, reading.duplicates, reading.filtered) == (1, 0, 1)
    assert reading.rejected == {"no": 1}


def test_of_an_object_told_twice_in_a_file_the_last_state_counts(look, load, store):
    watched = [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": "n1"},
            "status": {"conditions": [{"type": "Ready", "status": status}]},
        }
        for status in ("True", "Unknown", "True", "False")
    ]
    text = "\n".join(map(json.dumps, watched))

    first = load(kube_objects, look(text))
    again = load(kube_objects, look(text, "again"))

    assert store.rows("select ready from nodes") == [{"ready": False}]
    assert (first.loaded, first.duplicates) == (1, 3)
    assert (again.loaded, again.duplicates) == (0, 4)


def test_a_changed_object_replaces_the_old_row(look, load, store):
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}}
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}

    load(kube_objects, look(json.dumps(node), "before"))
    reading = load(kube_objects, look(json.dumps({**node, "status": ready}), "after"))

    assert reading.loaded == 1
    assert store.rows("select ready, ingest_id from nodes") == [{"ready": True, "ingest_id": 2}]


def samples(*told: tuple[int, str, int, float], filtered: int = 0) -> Samples:
    """Samples from (series number, metric, second, value)."""
    series = {number: metric for number, metric, _, _ in told}
    described = [{"series": n, "metric": metric, "labels": []} for n, metric in series.items()]
    measured = [(n, datetime(2024, 12, 11, 12, 0, second), v) for n, _, second, v in told]
    return Samples(
        pl.DataFrame(described, schema=SERIES),
        pl.DataFrame(measured, schema=SAMPLES, orient="row"),
        rejections=[Rejection("no", b"")] * filtered,
        filtered=filtered,
    )


def load_found(found: Samples, target: Target):
    return load_samples(lambda file, target: found, [Numbered(1, None)], target)[0]


def test_only_new_samples_are_loaded(target, store):
    load_found(samples((0, "a", 1, 1.0), (1, "b", 1, 2.0)), target)

    reading = load_found(samples((7, "b", 1, 2.0), (7, "b", 2, 3.0), filtered=2), target)

    assert (reading.lines, reading.loaded, reading.duplicates, reading.filtered) == (6, 1, 1, 2)
    assert rows(store)["metric_series"] == 2
    assert rows(store)["metric_samples"] == 3


def test_a_sample_told_twice_in_a_file_is_one_duplicate(target):
    reading = load_found(samples((0, "a", 1, 1.0), (1, "a", 1, 1.0)), target)

    assert (reading.loaded, reading.duplicates) == (1, 1)


def test_nothing_at_all_is_fine(target):
    assert load_found(samples(), target).lines == 0
    assert load_contents(Contents(), target).lines == 0


@pytest.mark.parametrize("depth", [900, 960, *range(970, 1000), 5000])
def test_json_nested_to_the_limit_never_raises(look, load, depth):
    deep = "[" * depth + "]" * depth
    schema = f'"kind":"FlowSchema","apiVersion":"{FLOW_CONTROL}","spec":{{"rules":{deep}}}'
    texts = {
        kube_objects: f'{{{schema},"metadata":{{"name":"x"}}}}',
        deploy_timeline: f'[{{"time":"2024-12-11T22:51:00Z","service":"web","x":{deep}}}]',
        apiserver_flags: f'{{"args":["kube-apiserver","--v=2"],"policy":{{"a":{deep}}}}}',
        prometheus_api: f'{{"status":"success","data":{{"result":[{{"metric":{{"a":{deep}}}}}]}}}}',
    }
    for source, text in texts.items():
        load(source, look(text, f"{source.name}-{depth}"))
