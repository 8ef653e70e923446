"""Recovery: what was tried, what came of it, when load was back, what would have been faster."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubepostmortem.charts import CHARTS
from kubepostmortem.errors import MissingEvidence
from kubepostmortem.incident import Window
from kubepostmortem.questions import recovery
from kubepostmortem.questions.question import Answer, ask
from kubepostmortem.questions.recovering import hindsight
from kubepostmortem.questions.recovering.curve import Curve
from kubepostmortem.store import Store
from planted import Event, Storm, at, event, telemetry_storm
from planted_windows import plant_windows

IDS = count(1)
BEGINS, ENDS, REMOVED = 300.0, 450.0, 440.0
KUBECTL = "kubectl/v1.33.2 (linux/amd64) kubernetes/98b3519"
CALM = telemetry_storm(Storm(nodes=9, shed=0.0, congestion=1.0, overload_s=400.0))
GC = "system:serviceaccount:kube-system:generic-garbage-collector"


@pytest.fixture(autouse=True)
def _no_simulation(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise MissingEvidence("requests", "not simulated here")

    monkeypatch.setattr(hindsight, "designed_fence", none)


def storm(ends: float = REMOVED) -> list[Event]:
    """A storm whose culprit calls no more from then on."""
    return [e for e in CALM if "otelcol" not in e["userAgent"] or _received(e) < ends]


def asked(when: float, code: int = 200, took: float = 0.5, **fields: Any) -> Event:
    """A person asks for the removal of the culprit, or for something else."""
    what = {
        "verb": "delete",
        "resource": "daemonsets",
        "group": "apps",
        "namespace": "telemetry",
        "name": "otel-agent",
        "user": "alice@example.com",
        "agent": KUBECTL,
    } | fields
    return event(f"r{next(IDS)}", received=when, took=took, code=code, **what)


def pods_deleted(when: float) -> list[Event]:
    agent = f"kube-controller-manager/v1.33.2 (linux/amd64) kubernetes/98b3519/{GC}"
    pods = {"resource": "pods", "group": "", "user": GC, "agent": agent}
    return [asked(when + i, name=f"otel-agent-bcdf{i}", **pods) for i in range(3)]


def answered(store: Store) -> Answer:
    plant_windows(store, (0.0, BEGINS), (BEGINS, ENDS))
    return ask(recovery, store)


def attempt(answer: Answer, starts: str) -> dict[str, Any]:
    (found,) = [row for row in answer.evidence["attempts"] if row["what"].startswith(starts)]
    return dict(found)


def test_an_accepted_removal_and_what_followed(read, store: Store) -> None:
    read([*storm(), asked(REMOVED), *pods_deleted(REMOVED + 1)])

    answer = answered(store)
    assert answer.headline.startswith(
        "The removal of telemetry/otel-agent was accepted at the first try, 0.5 s after"
    )
    assert 0 <= answer.evidence["seconds"]["accepted_to_load_back"] <= 40
    assert answer.evidence["residual"]["pods"] == 3
    found = attempt(answer, "delete daemonsets")
    assert (found["aim"], found["outcome"], found["effect"]) == ("removal", "accepted", "load fell")
    assert found["lag_s"] <= 30


def test_refusals_until_it_is_accepted_are_one_attempt(read, store: Store) -> None:
    tries = [asked(400, 429, 0.01), asked(408, 429, 0.01), asked(416, 504, 10), asked(435, 200)]
    read([*storm(), *tries, *pods_deleted(REMOVED)])

    answer = answered(store)
    found = attempt(answer, "delete daemonsets")
    assert (found["tries"], found["refused"], found["failed"]) == (4, 2, 1)
    assert found["took_s"] == pytest.approx(35.5)
    assert "after 3 refusals or failures, 35.5 s after it was asked for" in answer.headline
    faster = {row["path"]: row["saves_s"] for row in answer.evidence["faster"]}
    assert faster["first try accepted"] == pytest.approx(35.5)


def test_what_is_asked_for_anew_after_it_was_accepted_is_another_attempt(
    read, store: Store
) -> None:
    pod = {"resource": "pods", "group": "", "namespace": "kube-system", "name": "coredns-x"}
    read([*storm(), asked(400, **pod), asked(402, 404, **pod)])

    outcomes = [row["outcome"] for row in answered(store).evidence["attempts"]]
    assert outcomes == ["accepted", "rejected"]


def test_a_removal_that_nobody_carries_out_is_told(read, store: Store) -> None:
    read([*storm(ends=700), asked(REMOVED)])

    answer = answered(store)
    assert "No controller carried it out, and load was not back" in answer.headline
    assert answer.evidence["residual"]["stalled"]
    assert answer.evidence["back_at"] is None
    assert attempt(answer, "delete daemonsets")["effect"] == "no clear change"


def test_where_nobody_tried_it_says_so(read, store: Store) -> None:
    read(storm())

    answer = answered(store)
    assert "nobody who asked the API server to remove telemetry/otel-agent" in answer.headline
    assert "Load was back within 10% of the usual" in answer.headline
    assert answer.confidence == "low"


def test_a_removal_that_is_never_accepted(read, store: Store) -> None:
    read([*storm(ends=700), asked(400, 429, 0.01), asked(410, 403, 0.01)])

    answer = answered(store)
    assert "tried 2 times" in answer.headline
    assert "never accepted (1 refused or failed, 1 forbidden)" in answer.headline


@pytest.mark.parametrize(
    ("fields", "aim"),
    [
        ({"verb": "patch", "subresource": "scale"}, "removal"),
        ({"resource": "pods", "group": "", "name": "otel-agent-bcdfg"}, "removal"),
        ({"resource": "namespaces", "group": "", "namespace": "", "name": "telemetry"}, "removal"),
        ({"resource": "networkpolicies", "group": "networking.k8s.io"}, "protection"),
        (
            {"resource": "flowschemas", "group": "flowcontrol.apiserver.k8s.io", "namespace": ""},
            "protection",
        ),
        (
            {"resource": "clusterrolebindings", "group": "rbac.authorization.k8s.io"},
            "protection",
        ),
        ({"resource": "pods", "group": "", "namespace": "shop", "name": "cart-1"}, "restart"),
    ],
)
def test_what_an_action_is_aimed_at(read, store: Store, fields: dict[str, Any], aim: str) -> None:
    read([*storm(), asked(400, **fields)])

    (found,) = answered(store).evidence["attempts"]
    assert found["aim"] == aim


def test_a_pipeline_that_spreads_the_cause_or_others_is_no_attempt(read, store: Store) -> None:
    pipeline = {"verb": "patch", "user": "system:serviceaccount:ci:deployer", "agent": "helm/3.15"}
    wave = asked(360, **pipeline)
    other = asked(365, **pipeline | {"namespace": "shop", "name": "cart"})
    read([*storm(), wave, other])

    answer = answered(store)
    assert answer.evidence["attempts"] == []
    aims = {row["what"]: row["aim"] for row in answer.evidence["other_changes"]}
    assert aims["patch daemonsets telemetry/otel-agent"] == "rollout"
    assert aims["patch daemonsets shop/cart"] == "other change"


def test_stopping_after_the_first_wave_would_have_saved_time(read, store: Store) -> None:
    read([*storm(), asked(REMOVED), *pods_deleted(REMOVED + 1)])

    (found,) = [
        row
        for row in answered(store).evidence["faster"]
        if row["path"] == "stop after the first wave"
    ]
    assert not found["simulated"]
    # The second of the storm's three waves came half a minute after the first.
    assert found["saves_s"] == pytest.approx(REMOVED - BEGINS - 30, abs=5)


def test_what_is_simulated_is_called_so(
    read, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulation = SimpleNamespace(decided=True, verdict="All others are answered.")
    tried = SimpleNamespace(fence=SimpleNamespace(seats=4), simulation=simulation, spares=True)
    monkeypatch.setattr(hindsight, "designed_fence", lambda _: tried)
    read([*storm(), asked(REMOVED), *pods_deleted(REMOVED + 1)])

    answer = answered(store)
    (found,) = [row for row in answer.evidence["faster"] if row["simulated"]]
    assert found["says"].startswith("Simulated: with a priority level of 4 seats")
    assert "Simulated" not in answer.headline


def test_a_patch_that_a_pipeline_calls_a_rollback_is_one(read, store: Store) -> None:
    pipeline = {"user": "system:serviceaccount:ci:deployer", "agent": "helm/3.15"}
    read([*storm(), asked(REMOVED, verb="patch", **pipeline)])
    report_rollback(store)

    (found,) = answered(store).evidence["attempts"]
    assert (found["aim"], found["how"]) == ("removal", "audit log")


def test_a_rollback_is_not_taken_for_the_wave_shortly_before_it(read, store: Store) -> None:
    pipeline = {"user": "system:serviceaccount:ci:deployer", "agent": "helm/3.15"}
    read([*storm(), asked(REMOVED - 60, verb="patch", **pipeline), asked(REMOVED)])
    report_rollback(store)

    (found,) = answered(store).evidence["attempts"]
    assert found["what"].startswith("delete")


def test_a_rollback_that_only_a_pipeline_reports_is_listed(read, store: Store) -> None:
    read(storm())
    report_rollback(store)

    found = attempt(answered(store), "rollback otel-agent")
    assert (found["aim"], found["outcome"], found["how"]) == ("removal", "reported", "csv")
    assert found["effect"] == "load fell"


def report_rollback(store: Store) -> None:
    report = {
        "cluster": "prod",
        "applied_at": at(REMOVED),
        "namespace": "telemetry",
        "service": "otel-agent",
        "action": "rollback",
        "reported_by": "csv",
        "ingest_id": 1,
    }
    store.insert("deploys", [report])


def test_api_servers_that_start_are_listed(read, store: Store) -> None:
    read(storm())
    store.run(
        """insert into metric_series values
        (1, 'prod', 'process_start_time_seconds', map {'job': 'apiserver', 'instance': 'b'}, 1)"""
    )
    started = at(400).timestamp() - datetime(1970, 1, 1).timestamp()
    sample = {"series_id": 1, "sampled_at": at(420), "value": started}
    store.insert("metric_samples", [sample])

    found = attempt(answered(store), "API server b started")
    assert found["aim"] == "capacity"


def test_where_nothing_grew_it_is_open(read, store: Store) -> None:
    read([e for e in CALM if e["userAgent"].startswith("kubelet")])

    assert answered(store).status == "open"


def test_hostile_names_stay_data(read, store: Store) -> None:
    name = "a\"'</script>\u202e\n{{x}}"
    read([*storm(), asked(400, user=name, name=name), asked(REMOVED)])

    answer = answered(store)
    (figure,) = answer.figures
    assert CHARTS[figure.chart](figure.rows).to_dict()


def curve(demand: Sequence[float]) -> Curve:
    """Load in intervals of 10 s: the first ten are the baseline, the next ten the overload."""
    rows = pl.DataFrame(
        {
            "interval_at": [at(10.0 * i) for i in range(len(demand))],
            "demand": [float(one) for one in demand],
            "requests_per_s": [0.0] * len(demand),
            "refused_per_s": [0.0] * len(demand),
        }
    )
    return Curve("prod", rows, 10.0, Window(at(0), at(100)), Window(at(100), at(200)))


def test_a_dip_in_the_overload_is_not_yet_the_end() -> None:
    dip = [1] * 10 + [9, 9, 9, 1, 1, 1, 1, 9, 9, 9] + [1] * 10
    assert curve(dip).back_at() == at(200)


@given(
    st.lists(st.floats(5, 50), min_size=10, max_size=10),
    st.integers(min_value=0, max_value=20),
)
def test_load_is_back_when_it_stays_near_the_usual(storm: list[float], longer: int) -> None:
    found = curve([1.0] * 10 + storm + [40.0] * longer + [1.0] * 10).back_at()
    assert found == at(0) + timedelta(seconds=200 + 10 * longer)


@given(st.lists(st.floats(5, 50), min_size=20, max_size=30))
def test_load_that_stays_high_is_never_back(storm: list[float]) -> None:
    assert curve([1.0] * 10 + storm).back_at() is None


def _received(one: Event) -> float:
    moment = datetime.fromisoformat(one["requestReceivedTimestamp"]).replace(tzinfo=None)
    return (moment - at(0)).total_seconds()
