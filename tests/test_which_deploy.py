"""Which deploy: planted releases, with signs for and against each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubepostmortem.ingest import ingest
from kubepostmortem.questions import which_deploy
from kubepostmortem.questions.question import Answer, ask
from kubepostmortem.questions.suspects.signs import interval
from kubepostmortem.store import Store
from planted import Event, Storm, telemetry_storm, write_log

STORM = Storm(nodes=12, baseline_s=200, overload_s=120, shed=0, waves=(0.0, 30.0, 60.0))


def told(store: Store) -> Answer:
    return ask(which_deploy, store)


def without_changes(events: Sequence[Event]) -> list[Event]:
    """The log of an audit policy that leaves changes of workloads out."""
    return [one for one in events if "/apps/" not in one["requestURI"]]


def signs(suspect: dict[str, Any]) -> dict[str, Any]:
    return {one["kind"]: one["supports"] for one in suspect["signs"]}


def test_the_cause_has_every_sign_for_it(read, store: Store) -> None:
    read(telemetry_storm(STORM))

    first = told(store).evidence["suspects"][0]

    assert (first["service"], first["verdict"]) == ("otel-agent", "cause")
    assert signs(first) == dict.fromkeys(
        ("onset", "own calls", "component", "waves", "nodes"), True
    )


def test_innocents_have_their_reason(read, store: Store) -> None:
    read(telemetry_storm(replace(STORM, latecomer=True)))

    suspects = {one["service"]: one for one in told(store).evidence["suspects"]}

    assert signs(suspects["checkout"])["own calls"] is False
    assert suspects["checkout"]["reason"].startswith("its own calls are ")
    assert suspects["checkout"]["verdict"] == "innocent"


def test_inferred_deploys_alone_name_the_cause(read, store: Store) -> None:
    read(without_changes(telemetry_storm(STORM)))
    assert not store.has("deploys")

    answer = told(store)

    first = answer.evidence["suspects"][0]
    assert answer.status == "answered"
    assert (first["service"], first["verdict"]) == ("otel-agent", "cause")
    assert first["reported_by"] == "pods first seen"
    assert signs(first)["nodes"] is True
    assert [one["clients"] for one in answer.evidence["waves"]] == [4, 4, 4]


@pytest.fixture
def fleet(store: Store, tmp_path: Path) -> Store:
    """Two clusters that a release reaches one after the other, and one that it never reaches."""
    storms = {
        "east": STORM,
        "west": replace(STORM, baseline_s=260, overload_s=60, waves=(0.0, 10.0, 20.0), seed=3),
        "calm": replace(STORM, culprit=None),
    }
    for cluster, storm in storms.items():
        log = write_log(tmp_path / cluster / "audit.log", telemetry_storm(storm))
        ingest(store, [log], cluster)
    return store


def test_a_later_cluster_has_an_onset_of_its_own(fleet: Store) -> None:
    suspects = told(fleet).evidence["suspects"]

    causes = {one["cluster"]: one for one in suspects if one["verdict"] == "cause"}
    assert set(causes) == {"east", "west"}
    assert all(0 <= one["lag_s"] < 20 for one in causes.values())


def test_clusters_that_were_spared_speak_for_the_cause(fleet: Store) -> None:
    first = told(fleet).evidence["suspects"][0]

    says = next(one for one in first["signs"] if one["kind"] == "clusters")
    assert says["supports"] is True
    assert "demand grew in east and west" in says["says"]


def test_calls_that_grew_beside_the_cause_are_ruled_out(read, store: Store) -> None:
    events = telemetry_storm(STORM)
    more = telemetry_storm(replace(STORM, culprit=None, seed=5))
    own = [one for one in more if "checkout" in one["userAgent"]]
    for copy in range(6):
        events += [one | {"auditID": f"c{copy}-{one['auditID']}"} for one in own]
    read(events)

    suspects = {one["service"]: one for one in told(store).evidence["suspects"]}

    assert suspects["otel-agent"]["verdict"] == "cause"
    assert suspects["checkout"]["verdict"] == "innocent"


@given(st.floats(-0.999, 0.999), st.integers(4, 5000))
def test_the_interval_holds_the_correlation_and_shrinks(r: float, pairs: int) -> None:
    low, high = interval(r, pairs)
    wider = interval(r, 4)

    assert -1 <= low <= high <= 1
    assert low - 1e-5 <= r <= high + 1e-5
    assert wider[0] <= low and high <= wider[1]
