"""Commands that collect evidence: complete, sound shell text, whatever a cluster is called."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kubepostmortem.cli import app
from kubepostmortem.collect import (
    ANY,
    PLACEHOLDER,
    Step,
    kinds_of_evidence,
    plan,
    platforms,
    script,
    span,
    steps,
)
from kubepostmortem.errors import UsageError
from kubepostmortem.incident import Window
from kubepostmortem.questions import QUESTIONS

WINDOW = Window.parse("2024-12-11T21:00:00Z/2024-12-11T23:30:00Z")
KNOWN = {question.id for question in QUESTIONS}
HOSTILE = [
    "it's",
    "$(touch pwned)",
    "`touch pwned`",
    '"; touch pwned; "',
    "'; touch pwned; '",
    "{until}",
]
TOOLS = (
    *("kubectl", "oc", "aws", "gcloud", "az", "curl", "ssh", "helm", "jq", "gh", "glab"),
    *("promtool", "sleep", "kubepostmortem"),
)


def run(text: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", text],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("step", steps(), ids=lambda step: f"{step.platform} {step.evidence}")
def test_a_step_names_what_is_known(step: Step) -> None:
    assert step.platform in {*platforms(), ANY}
    assert step.evidence in kinds_of_evidence()
    assert set(step.questions) <= KNOWN
    assert step.commands and step.needs


@pytest.mark.parametrize("question", sorted(KNOWN))
@pytest.mark.parametrize("platform", platforms())
def test_every_question_is_served_everywhere(platform: str, question: str) -> None:
    found = plan(platform, WINDOW, "prod", question)
    assert found
    assert all(question in step.questions for step in found)


@pytest.mark.parametrize("kind", ["audit log", "objects", "metrics", "deploys"])
@pytest.mark.parametrize("platform", platforms())
def test_every_platform_has_the_evidence(platform: str, kind: str) -> None:
    assert kind in {step.evidence for step in plan(platform, WINDOW, "prod")}


def test_every_placeholder_is_filled() -> None:
    mentioned = {"cluster", "since", "until", "since_ms", "until_ms", "metrics", "range_queries"}
    for step in plan(None, WINDOW, "prod"):
        for command in (*step.commands, *step.instead):
            assert not mentioned.intersection(PLACEHOLDER.findall(command))


@pytest.mark.parametrize("platform", platforms())
@pytest.mark.parametrize("cluster", ["prod-1", *HOSTILE])
def test_every_command_is_shell(platform: str, cluster: str, tmp_path: Path) -> None:
    for step in plan(platform, WINDOW, cluster):
        for command in (*step.commands, *step.instead):
            checked = subprocess.run(
                ["bash", "-n"], input=command, capture_output=True, text=True, cwd=tmp_path
            )
            assert checked.stderr == "", command


def test_another_way_is_one_line() -> None:
    """It is printed as a comment: a second line would be run."""
    assert all(len(way.splitlines()) == 1 for step in steps() for way in step.instead)
    assert all(len(text.splitlines()) <= 1 for step in steps() for text in (step.note, step.needs))


STUB = """#!/bin/bash
printf '%s\\0' "${0##*/}" "$@" >> "$CALLS"
case "$*" in *"-o name"*) echo pod/kube-apiserver-a;; esac
"""
GIVEN = {
    "CONTROL_PLANES": "node-a node-b",
    "PROJECT": "project",
    "WORKSPACE": "1234",
    "PROMETHEUS": "https://prometheus.example",
    "REPOSITORY": "owner/name",
}


@pytest.fixture
def stubs(tmp_path: Path) -> Path:
    """A folder of programs that write down how they were called, and do nothing."""
    folder = tmp_path / "stubs"
    folder.mkdir()
    for tool in TOOLS:
        (folder / tool).write_text(STUB)
        (folder / tool).chmod(0o755)
    return folder


@pytest.mark.parametrize("platform", platforms())
@pytest.mark.parametrize("cluster", HOSTILE)
def test_a_hostile_name_stays_an_argument(
    platform: str, cluster: str, tmp_path: Path, stubs: Path
) -> None:
    work, calls = tmp_path / "work", tmp_path / "calls"
    work.mkdir()
    text = script(plan(platform, WINDOW, cluster), cluster)
    path = f"{stubs}:{os.environ['PATH']}"
    ended = run(text, work, PATH=path, CALLS=str(calls), **GIVEN)
    assert ended.returncode == 0
    assert not list(tmp_path.rglob("*pwned*"))
    called = calls.read_text().split("\0")
    ingest = called.index("kubepostmortem")
    assert called[ingest:][-3:-1] == ["--cluster", cluster]
    assert {path.name for path in work.iterdir()} == {"evidence"}


def test_a_step_that_lacks_a_variable_stops_only_itself(tmp_path: Path, stubs: Path) -> None:
    path, calls = f"{stubs}:{os.environ['PATH']}", tmp_path / "calls"
    ended = run(script(plan("gke", WINDOW, "prod"), "prod"), tmp_path, PATH=path, CALLS=str(calls))
    assert "PROJECT: the Google Cloud project" in ended.stderr
    assert "kubepostmortem\0ingest" in calls.read_text()


def test_the_window_is_asked_for(tmp_path: Path, stubs: Path) -> None:
    path, calls = f"{stubs}:{os.environ['PATH']}", tmp_path / "calls"
    text = script(plan("eks", WINDOW, "prod", "who-grew"), "prod")
    run(text, tmp_path, PATH=path, CALLS=str(calls), PROMETHEUS="https://p")
    called = calls.read_text().split("\0")
    assert called[called.index("--start-time") + 1] == "1733950800000"
    assert called[called.index("--log-group-name") + 1] == "/aws/eks/prod/cluster"
    assert "start=2024-12-11T21:00:00Z" in called
    assert "query=apiserver_request_total" in called


@pytest.mark.parametrize(
    ("platform", "cluster", "question", "says"),
    [
        ("nomad", "prod", None, "no platform 'nomad'; there are aks, eks, gke, kubeadm, openshift"),
        ("eks", "prod", "why", "no question 'why'; there are blast-radius"),
        ("eks", "a\nrm -rf ~", None, "no line breaks"),
        ("eks", "a\u2028b", None, "no line breaks"),
    ],
)
def test_refuses(platform: str, cluster: str, question: str | None, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        plan(platform, WINDOW, cluster, question)


def test_six_hours_by_default() -> None:
    assert span(None, "2024-12-11T23:00:00Z") == span(
        "2024-12-11T17:00:00+00:00", "2024-12-12T00:00:00+01:00"
    )
    assert span(None, None).length.total_seconds() == 6 * 3600


def test_the_command_prints_what_is_planned() -> None:
    words = ["collect", "eks", "--question", "dns", "--since", "2024-12-11T21:00:00Z"]
    words += ["--until", "2024-12-11T23:30:00Z", "--cluster", "prod"]
    printed = {how: CliRunner().invoke(app, [*words, "-o", how]).stdout for how in ("text", "md")}
    planned = plan("eks", WINDOW, "prod", "dns")
    data = json.loads(CliRunner().invoke(app, [*words, "-o", "json"]).stdout)
    assert printed["text"] == script(planned, "prod")
    assert [step["evidence"] for step in data["steps"]] == [step.evidence for step in planned]
    for step in data["steps"]:
        assert all(command in text for text in printed.values() for command in step["commands"])
    assert data["ingest"] == "kubepostmortem ingest evidence -d incident.duckdb --cluster prod"
