"""Helm, GitHub, GitLab and Spinnaker: what each tells of a deploy, and what it does not."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from kubepostmortem.sources import (
    argocd,
    deploy_timeline,
    flux,
    github,
    gitlab,
    helm,
    kube_objects,
    spinnaker,
)
from kubepostmortem.sources.changes import thing_in
from kubepostmortem.sources.helm import chart_and_version

BEGUN = "2024-12-11T22:51:02Z"
BEGUN_AT = datetime(2024, 12, 11, 22, 51, 2)
REPOSITORY = "https://api.github.com/repos/acme/node-agent"


def deploys(store) -> list[dict]:
    columns = "applied_at, namespace, service, version, actor, action, status"
    return store.rows(
        f"select {columns} from deploys order by applied_at, action, version nulls first"
    )


def only(store) -> dict:
    (row,) = deploys(store)
    return row


def loaded(look, load, source, *things: dict):
    file = look(json.dumps(things))
    assert source.recognises(file)
    return load(source, file)


NODE_AGENT = {
    "apiVersion": "apps/v1",
    "kind": "DaemonSet",
    "metadata": {"name": "node-agent", "namespace": "telemetry"},
}
REPORTS = {
    "helm_list.json": helm,
    "helm_history.json": helm,
    "argocd_app.json": argocd,
    "flux_event.json": flux,
    "spinnaker_pipelines.json": spinnaker,
    "deploys.csv": deploy_timeline,
}


def test_all_reports_of_one_release_are_one_candidate(recorded, look, load, store):
    load(kube_objects, look(json.dumps(NODE_AGENT)))
    for name, source in REPORTS.items():
        load(source, recorded(f"formats/{name}"))

    assert store.rows(
        "select namespace, applied_at, version, reported_by from deploy_candidates "
        "where service = 'node-agent' order by applied_at"
    ) == [
        {
            "namespace": "telemetry",
            "applied_at": datetime(2024, 12, 11, 22, 23, 5, 123456),
            "version": "0.8.0",
            "reported_by": "Helm",
        },
        {
            "namespace": "telemetry",
            "applied_at": datetime(2024, 12, 11, 22, 50, 58),
            "version": "0.9.0",
            "reported_by": "Argo CD, Flux, Helm, Spinnaker, deploy timeline",
        },
    ]


RELEASE = """
- app_version: 0.9.0
  chart: node-agent-0.9.0
  name: node-agent
  namespace: telemetry
  revision: "12"
  status: deployed
  updated: 2024-12-11 14:51:02.123456 -0800 PST
"""


def test_helm_list_as_yaml_is_the_same_as_json(recorded, look, load, store):
    first = load(helm, recorded("formats/helm_list.json"))
    again = load(helm, look(RELEASE))

    assert (first.loaded, again.loaded, again.duplicates) == (1, 0, 1)
    assert only(store) == {
        "applied_at": datetime(2024, 12, 11, 22, 51, 2, 123456),
        "namespace": "telemetry",
        "service": "node-agent",
        "version": "0.9.0",
        "actor": None,
        "action": "revision 12",
        "status": "deployed",
    }


def test_helm_history_is_named_after_its_chart_and_says_so(recorded, load, store):
    reading = load(helm, recorded("formats/helm_history.json"))

    rows = [(row["service"], row["version"], row["status"]) for row in deploys(store)]
    assert rows == [("node-agent", "0.8.0", "superseded"), ("node-agent", "0.9.0", "deployed")]
    assert reading.notes == helm.UNNAMED


@pytest.mark.parametrize(
    ("chart", "expected"),
    [
        ("node-agent-0.9.0", ("node-agent", "0.9.0")),
        ("kube-prometheus-stack-65.1.0", ("kube-prometheus-stack", "65.1.0")),
        ("cert-manager-v1.16.0", ("cert-manager", "v1.16.0")),
        ("web-2-1.0.0-rc.1+build.7", ("web-2", "1.0.0-rc.1+build.7")),
        ("web-12", ("web", "12")),
        ("web", ("web", None)),
    ],
)
def test_a_chart_has_a_name_and_a_version(chart, expected):
    assert chart_and_version(chart) == expected


@pytest.mark.parametrize(
    ("title", "thing"),
    [
        ("Deploy node-agent to prod", "node-agent"),
        ("deploy:web", "web"),
        ("deploy-node-agent", "node-agent"),
        ("Rollout of web (eu-1)", "web"),
        ("Deploy prod", None),
        ("deploy", None),
        ("Deploy the new thing", None),
        ("node-agent", None),
        (None, None),
    ],
)
def test_a_title_may_name_what_is_deployed(title, thing):
    assert thing_in(title) == thing


def deployment(**fields: object) -> dict:
    known = {"id": 1, "sha": "9f1c", "ref": "main", "task": "deploy", "environment": "prod"}
    return known | {"creator": {"login": "alice"}, "created_at": BEGUN} | fields


def test_a_deployment_of_github_ends_with_its_last_status(look, load, store):
    statuses = [
        {"state": "success", "created_at": "2024-12-11T22:55:00Z"},
        {"state": "in_progress", "created_at": "2024-12-11T22:52:00Z"},
    ]

    loaded(look, load, github, deployment(_statuses=statuses, url=f"{REPOSITORY}/deployments/1"))

    assert only(store) == {
        "applied_at": BEGUN_AT,
        "namespace": None,
        "service": "node-agent",
        "version": "9f1c",
        "actor": "alice",
        "action": "deploy to prod",
        "status": "success",
    }
    assert store.value("select ends_at from deploys") == datetime(2024, 12, 11, 22, 55)


@pytest.mark.parametrize(
    ("fields", "service"),
    [
        ({"payload": {"service": "web"}, "repository_url": REPOSITORY}, "web"),
        ({"payload": '{"app": "web"}'}, "web"),
        ({"payload": "not JSON", "task": "deploy:web"}, "web"),
        ({"repository_url": REPOSITORY}, "node-agent"),
        ({"task": "migrations"}, "migrations"),
        ({}, "prod"),
    ],
)
def test_a_deployment_of_github_is_named_by_what_tells_most(look, load, store, fields, service):
    loaded(look, load, github, deployment(**fields))

    assert only(store)["service"] == service


def test_statuses_of_github_that_change_nothing_are_left_out(look, load, store):
    url = f"{REPOSITORY}/deployments/1"
    statuses = [
        {"state": state, "deployment_url": url, "created_at": BEGUN, "environment": "prod"}
        for state in ("queued", "in_progress", "success", "inactive", "inactive")
    ]

    reading = loaded(look, load, github, *statuses)

    assert (reading.loaded, reading.filtered) == (2, 3)
    assert reading.notes == "1 left out: statuses queued; 2 left out: statuses inactive"
    assert {row["service"] for row in deploys(store)} == {"node-agent"}


RUN = {
    "run_number": 7,
    "head_sha": "9f1c",
    "name": "Deploy web",
    "event": "push",
    "status": "completed",
    "conclusion": "success",
    "created_at": "2024-12-11T22:50:00Z",
    "run_started_at": BEGUN,
    "updated_at": "2024-12-11T22:55:00Z",
    "actor": {"login": "alice"},
    "repository": {"name": "infra"},
}
GH_RUN = {
    "workflowName": "Deploy web",
    "headSha": "9f1c",
    "status": "completed",
    "conclusion": "success",
    "createdAt": "2024-12-11T22:50:00Z",
    "startedAt": BEGUN,
    "updatedAt": "2024-12-11T22:55:00Z",
}


@pytest.mark.parametrize(
    "text", [json.dumps({"total_count": 1, "workflow_runs": [RUN]}), json.dumps([GH_RUN])]
)
def test_runs_of_workflows_that_deploy_count(look, load, store, text):
    load(github, look(text))

    row = only(store)
    assert (row["applied_at"], row["service"], row["version"]) == (BEGUN_AT, "web", "9f1c")
    assert row["status"] == "success"
    assert store.value("select ends_at from deploys") == datetime(2024, 12, 11, 22, 55)


def test_other_runs_are_left_out_and_a_release_may_set_one_off(look, load, store):
    runs = [RUN | {"name": "CI"}, RUN | {"name": "CI", "event": "release"}]

    reading = loaded(look, load, github, *runs)

    assert (reading.loaded, reading.filtered) == (1, 1)
    assert reading.notes == "1 left out: runs of workflows that deploy nothing"
    assert only(store)["service"] == "infra"


def test_a_release_of_github_counts_when_published(look, load, store):
    release = {"tag_name": "v2", "published_at": BEGUN, "author": {"login": "alice"}}
    release |= {"url": f"{REPOSITORY}/releases/1", "draft": False}

    reading = loaded(look, load, github, release, release | {"published_at": None, "draft": True})

    assert (reading.loaded, reading.filtered) == (1, 1)
    assert (only(store)["service"], only(store)["version"]) == ("node-agent", "v2")


def at_gitlab(**fields: object) -> dict:
    known = {"iid": 2, "ref": "main", "sha": "9f1c", "status": "success", "created_at": BEGUN}
    return known | {"environment": {"name": "prod/web"}, "user": {"username": "alice"}} | fields


@pytest.mark.parametrize(
    ("fields", "service", "action"),
    [
        ({"deployable": {"name": "deploy-api"}}, "api", "deploy-api to prod/web"),
        (
            {"deployable": {"name": "deploy", "web_url": "https://gl.example/g/shop/-/jobs/1"}},
            "shop",
            "deploy to prod/web",
        ),
        ({}, "web", "deploy to prod/web"),
    ],
)
def test_a_deployment_of_gitlab_is_named_by_what_tells_most(
    look, load, store, fields, service, action
):
    loaded(look, load, gitlab, at_gitlab(**fields))

    row = only(store)
    assert (row["service"], row["action"], row["actor"]) == (service, action, "alice")


def test_deployments_of_gitlab_that_did_not_begin_are_left_out(look, load):
    reading = loaded(look, load, gitlab, at_gitlab(), at_gitlab(status="blocked"))

    assert (reading.loaded, reading.filtered) == (1, 1)
    assert reading.notes == "1 left out: status blocked, so not begun"


def test_of_the_jobs_of_gitlab_those_that_deploy_count(look, load, store):
    job = {
        "name": "web",
        "stage": "deploy",
        "status": "failed",
        "created_at": "2024-12-11T22:50:00Z",
        "started_at": BEGUN,
        "finished_at": "2024-12-11T22:55:00Z",
        "commit": {"id": "9f1c"},
        "pipeline": {"web_url": "https://gl.example/g/shop/-/pipelines/1"},
    }

    reading = loaded(look, load, gitlab, job, job | {"name": "lint", "stage": "test"})

    assert (reading.loaded, reading.filtered) == (1, 1)
    row = only(store)
    assert (row["applied_at"], row["service"], row["version"]) == (BEGUN_AT, "shop", "9f1c")
    assert (row["action"], row["status"]) == ("web", "failed")


def execution(*stages: dict, **fields: object) -> dict:
    known = {"name": "deploy node-agent", "application": "telemetry", "status": "RUNNING"}
    return known | {"startTime": 1733957462000, "stages": list(stages)} | fields


def stage(kind: str = "deployManifest", *manifests: dict) -> dict:
    context = {"account": "prod-1", "manifests": list(manifests)}
    return {"type": kind, "name": kind, "startTime": 1733957463000, "context": context}


def manifest(kind: str, name: str) -> dict:
    return {"kind": kind, "metadata": {"name": name, "namespace": "telemetry"}}


def test_a_pipeline_and_its_stages_that_deploy_are_steps(look, load, store):
    pipeline = execution(stage(), stage("wait"), stage("undoRolloutManifest"))

    reading = loaded(look, load, spinnaker, pipeline, execution(trigger={"tag": "v2"}))

    assert reading.notes == "accounts named: prod-1"
    assert [(row["service"], row["action"], row["version"]) for row in deploys(store)] == [
        ("node-agent", "deploy node-agent", None),
        ("node-agent", "deploy node-agent", "v2"),
        ("node-agent", "deployManifest", None),
        ("node-agent", "undoRolloutManifest", None),
    ]


def test_a_manifest_names_the_workload_better_than_the_pipeline(look, load, store):
    manifests = manifest("Service", "other"), manifest("DaemonSet", "otel-agent")

    loaded(look, load, spinnaker, execution(stage("deployManifest", *manifests)))

    kinds = store.rows("select distinct namespace, service, kind from deploys")
    assert kinds == [{"namespace": "telemetry", "service": "otel-agent", "kind": "DaemonSet"}]


def test_a_pipeline_that_has_not_begun_is_left_out(look, load):
    waiting = execution(status="NOT_STARTED", startTime=None)

    reading = loaded(look, load, spinnaker, execution(), waiting)

    assert (reading.loaded, reading.filtered, reading.notes) == (1, 1, "1 left out: not begun")


@pytest.mark.parametrize(
    ("source", "thing"),
    [
        (helm, {"chart": "a-1.0.0", "revision": 1, "updated": "2024-12-11 22:51:02"}),
        (github, deployment(created_at="2024-12-11T22:51:02")),
        (gitlab, at_gitlab(created_at="2024-12-11T22:51:02")),
    ],
)
def test_a_time_without_a_zone_is_rejected(look, load, source, thing):
    assert loaded(look, load, source, thing, 7).rejected == {
        "time without a zone": 1,
        "not an object": 1,
    }


@pytest.mark.parametrize(
    ("source", "thing"),
    [
        (helm, {"chart": [], "revision": 1, "updated": BEGUN}),
        (github, deployment(environment={}, created_at=[])),
        (gitlab, at_gitlab(environment=7, deployable=[1])),
        (spinnaker, execution(None, 7, {"type": "deploy", "context": []}, application={}, name=[])),
    ],
)
def test_a_record_of_another_shape_is_counted(look, load, source, thing):
    assert loaded(look, load, source, thing).loaded == 0
