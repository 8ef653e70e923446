"""Argo CD and Flux: their objects, alone and among others, and the events of Flux."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
import yaml

from kubepostmortem.sources import argocd, flux, kube_objects

BEGUN, DONE = "2024-12-11T22:50:58Z", "2024-12-11T22:51:20Z"
BEGUN_AT, DONE_AT = datetime(2024, 12, 11, 22, 50, 58), datetime(2024, 12, 11, 22, 51, 20)
ARGO = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application"}
HELM = {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease"}
KUSTOMIZE = {"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization"}
SYNC = {"revision": "9f1c", "deployStartedAt": BEGUN, "deployedAt": DONE}
NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}}


def app(name: str = "web", **status: object) -> dict:
    spec = {"destination": {"namespace": "shop"}, "project": "default"}
    status = {"history": [SYNC]} | status
    return {"metadata": {"name": name, "namespace": "argocd"}, "spec": spec, "status": status}


def listing(*items: dict) -> dict:
    return {"apiVersion": "v1", "items": list(items), "kind": "List", "metadata": {}}


def deploys(store) -> list[dict]:
    return store.rows("select * exclude (cluster, ingest_id) from deploys order by applied_at")


def only(store) -> dict:
    (row,) = deploys(store)
    return row


@pytest.mark.parametrize(
    "document",
    [
        ARGO | app(),
        app(),
        [app()],
        {"metadata": {}, "items": [app()]},
        listing(ARGO | app()),
    ],
    ids=["kubectl one", "argocd one", "argocd list", "API", "kubectl list"],
)
@pytest.mark.parametrize("write", [json.dumps, yaml.safe_dump])
def test_reads_applications_however_they_were_printed(look, load, store, document, write):
    file = look(write(document))

    assert argocd.recognises(file)
    load(argocd, file)
    assert only(store) == {
        "applied_at": BEGUN_AT,
        "ends_at": DONE_AT,
        "namespace": "shop",
        "service": "web",
        "kind": None,
        "version": "9f1c",
        "actor": None,
        "action": "sync",
        "status": "deployed",
        "reported_by": "Argo CD",
    }


def test_applications_among_other_objects_are_read_with_them(look, load, store):
    file = look(json.dumps(listing(ARGO | app(), NODE)))

    assert kube_objects.recognises(file)
    assert not argocd.recognises(file)
    assert load(kube_objects, file).loaded == 2
    assert only(store)["reported_by"] == "Argo CD"


def test_other_objects_behind_many_applications_are_not_lost(look, load, store):
    apps = [ARGO | app(f"web-{n}") for n in range(600)]
    file = look(json.dumps(listing(*apps, NODE)))

    assert argocd.recognises(file)
    assert load(argocd, file).loaded == 601
    assert store.has("nodes")


WORKLOADS = [
    {"kind": "DaemonSet", "name": "node-agent", "namespace": "telemetry"},
    {"kind": "ConfigMap", "name": "web", "namespace": "telemetry"},
]


@pytest.mark.parametrize(
    ("more", "service", "kind", "action"),
    [
        ([], "node-agent", "DaemonSet", "sync of web"),
        ([{"kind": "Deployment", "name": "api"}], "web", None, "sync"),
        ([{"kind": "Deployment", "name": "web"}], "web", "Deployment", "sync"),
    ],
)
def test_an_application_goes_by_its_only_workload(look, load, store, more, service, kind, action):
    load(argocd, look(json.dumps([app(resources=WORKLOADS + more)])))

    row = only(store)
    assert (row["service"], row["kind"], row["action"]) == (service, kind, action)


@pytest.mark.parametrize(
    ("by", "actor"),
    [
        ({"automated": True}, "automated"),
        ({"username": "alice"}, "alice"),
        ({"automated": False}, None),
    ],
)
def test_a_sync_knows_who_asked_for_it(look, load, store, by, actor):
    load(argocd, look(json.dumps([app(history=[SYNC | {"initiatedBy": by}])])))

    assert only(store)["actor"] == actor


@pytest.mark.parametrize(
    ("entry", "version"),
    [
        ({"revision": "", "source": {"chart": "web", "targetRevision": "1.2.3"}}, "1.2.3"),
        ({"revision": None, "revisions": ["9f1c", "0.9.0"]}, "9f1c, 0.9.0"),
    ],
)
def test_a_chart_has_a_version_and_several_sources_have_several(look, load, store, entry, version):
    load(argocd, look(json.dumps([app(history=[SYNC | entry])])))

    assert only(store)["version"] == version


def test_a_sync_that_failed_is_not_in_the_history(look, load, store):
    operation = {
        "phase": "Failed",
        "startedAt": "2024-12-11T22:53:00Z",
        "finishedAt": "2024-12-11T22:54:00Z",
        "operation": {"sync": {"revision": "abcd"}, "initiatedBy": {"username": "bob"}},
    }
    done = operation | {"phase": "Succeeded", "startedAt": BEGUN, "finishedAt": DONE}

    load(argocd, look(json.dumps([app("a", operationState=operation)])))
    load(argocd, look(json.dumps([app("b", operationState=done)]), "b"))

    told = [(row["service"], row["version"], row["actor"], row["status"]) for row in deploys(store)]
    assert sorted(told, key=str) == [
        ("a", "9f1c", None, "deployed"),
        ("a", "abcd", "bob", "failed"),
        ("b", "9f1c", None, "deployed"),
    ]


def test_an_application_that_was_never_synced_is_counted(look, load):
    reading = load(argocd, look(json.dumps([app(history=[])])))

    assert (reading.lines, reading.loaded) == (1, 1)  # as one of the objects of its kind


def test_a_helm_release_of_flux_remembers_its_revisions(look, load, store):
    snapshot = {"name": "x", "namespace": "telemetry", "chartVersion": "0.9.0", "version": 12}
    snapshot |= {"firstDeployed": "2024-11-01T00:00:00Z", "lastDeployed": BEGUN}
    release = {"metadata": {"name": "node-agent", "namespace": "flux"}, "spec": {}}
    release["status"] = {"history": [snapshot | {"status": "deployed"}]}

    file = look(yaml.safe_dump(listing(HELM | release)))

    assert flux.recognises(file)
    load(flux, file)
    row = only(store)
    assert (row["applied_at"], row["namespace"], row["service"]) == (
        BEGUN_AT,
        "telemetry",
        "node-agent",
    )
    assert (row["version"], row["action"], row["status"]) == ("0.9.0", "revision 12", "deployed")


@pytest.mark.parametrize("type_", [HELM, KUSTOMIZE])
def test_the_last_applied_revision_is_dated_by_its_condition(look, load, store, type_):
    ready = {"type": "Ready", "status": "True", "reason": "Succeeded", "lastTransitionTime": BEGUN}
    status = {"lastAppliedRevision": "main@sha1:9f1c", "conditions": [ready]}
    thing = type_ | {"metadata": {"name": "apps", "namespace": "flux"}, "status": status}

    load(flux, look(json.dumps(listing(thing))))

    row = only(store)
    assert (row["applied_at"], row["version"]) == (BEGUN_AT, "main@sha1:9f1c")
    assert (row["namespace"], row["service"], row["status"]) == ("flux", "apps", "ready")


def test_a_kustomization_remembers_when_it_first_applied_a_revision(look, load, store):
    entry = {"firstReconciled": BEGUN, "lastReconciled": DONE, "metadata": {"revision": "9f1c"}}
    inventory = [{"id": "telemetry_node-agent_apps_DaemonSet"}, {"id": "shop_web__ConfigMap"}]
    status = {"history": [entry], "inventory": {"entries": inventory}}
    thing = KUSTOMIZE | {"metadata": {"name": "apps", "namespace": "flux"}, "status": status}

    load(flux, look(json.dumps(thing)))

    row = only(store)
    assert (row["applied_at"], row["version"]) == (BEGUN_AT, "9f1c")
    assert (row["namespace"], row["service"], row["kind"]) == (
        "telemetry",
        "node-agent",
        "DaemonSet",
    )


def event(kind: str = "Kustomization", reason: str = "Progressing", **fields: object) -> dict:
    known = {
        "involvedObject": {"kind": kind, "name": "apps", "namespace": "flux"},
        "severity": "info",
        "timestamp": BEGUN,
        "reason": reason,
        "message": "",
        "metadata": {"kustomize.toolkit.fluxcd.io/revision": "main@sha1:9f1c"},
        "reportingController": "kustomize-controller",
    }
    return known | fields


CHANGED = (
    "DaemonSet/telemetry/node-agent configured\nService/shop/web created\nDeployment/web created"
)


@pytest.mark.parametrize(
    "write", [json.dumps, lambda e: json.dumps([e]), lambda e: f"{json.dumps(e)}\n"]
)
def test_an_event_of_flux_names_the_workloads_that_it_changed(look, load, store, write):
    file = look(write(event(message=CHANGED)))

    assert flux.recognises(file)
    load(flux, file)
    assert store.rows(
        "select namespace, service, kind, action, version from deploys order by service"
    ) == [
        {
            "namespace": namespace,
            "service": service,
            "kind": kind,
            "action": action,
            "version": "main@sha1:9f1c",
        }
        for namespace, service, kind, action in (
            ("telemetry", "node-agent", "DaemonSet", "configured"),
            ("flux", "web", "Deployment", "created"),
        )
    ]


@pytest.mark.parametrize(
    ("reason", "severity", "action", "status"),
    [
        ("UpgradeSucceeded", "info", "upgrade", "succeeded"),
        ("InstallFailed", "error", "install", "failed"),
        ("Stalled", "error", "Stalled", "failed"),
    ],
)
def test_the_reason_of_an_event_says_what_was_done(
    look, load, store, reason, severity, action, status
):
    load(flux, look(json.dumps(event("HelmRelease", reason, severity=severity))))

    assert (only(store)["action"], only(store)["status"]) == (action, status)


def test_events_that_tell_no_change_are_left_out(look, load):
    events = [
        event("GitRepository", "NewArtifact"),
        event(reason="DependencyNotReady"),
        event(message="Reconciliation finished in 1s, next run in 10m0s"),
        event("HelmRelease", "UpgradeSucceeded"),
    ]

    reading = load(flux, look(json.dumps(events)))

    assert (reading.loaded, reading.filtered) == (1, 3)
    assert reading.notes == (
        "1 left out: about neither a HelmRelease nor a Kustomization; 2 left out: no change told"
    )


@pytest.mark.parametrize(
    "status",
    [
        {"history": [SYNC | {"deployStartedAt": "2024-12-11T22:51:02"}]},
        {"history": [7]},
    ],
)
def test_an_application_with_unusable_times_is_rejected(look, load, status):
    reading = load(argocd, look(json.dumps([app(**status), app("good")])))

    assert (reading.lines, reading.loaded, sum(reading.rejected.values())) == (2, 1, 1)


def test_flux_objects_that_tell_nothing_yet_are_counted(look, load, store):
    failing = {"type": "Ready", "status": "False", "lastTransitionTime": BEGUN}
    status = {"lastAppliedRevision": "main@sha1:9f1c", "conditions": [failing]}
    things = [type_ | {"metadata": {"name": "a"}, "status": status} for type_ in (HELM, KUSTOMIZE)]

    reading = load(flux, look(json.dumps(listing(*things))))

    assert (reading.lines, reading.loaded) == (2, 2)
    assert not store.has("deploys")
