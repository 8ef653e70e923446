"""What an audit log lacks is a limit of the evidence, and a clean log has none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubepostmortem.ingest import ingest
from kubepostmortem.postmortem import Postmortem
from kubepostmortem.store import Store
from planted import Event, request, telemetry_storm, write_log
from planted_counters import request_counter, seconds, write_query_range
from planted_evidence import (
    COUNTER,
    EVENTS,
    REQUESTS,
    STORM,
    Ingest,
    Limits,
    is_read,
    limits,
    of,
    sampled,
    says,
    silent,
)

LACKING: dict[str, tuple[list[Event], Limits]] = {
    "nothing": (EVENTS, {}),
    "a tenth of a resource": (
        [e for e in EVENTS if of(e) != "configmaps" or seconds(e) > 290],
        {},
    ),
    "what the culprit does": (
        [e for e in EVENTS if not (is_read(e, "list") and of(e) == "pods")],
        {
            ("policy hole", "list pods"): "weakens",
            ("low coverage", "the overload"): "weakens",
            ("low coverage", "the whole log"): "weakens",
        },
    ),
    "reads": (
        [e for e in EVENTS if not is_read(e, "get", "list")],
        {
            ("policy hole", "get and list"): "blinds",
            ("low coverage", "the overload"): "blinds",
            ("low coverage", "the whole log"): "blinds",
        },
    ),
    "every third request": (
        sampled(EVENTS, 0.67),
        {
            ("low coverage", "the baseline"): "weakens",
            ("low coverage", "the overload"): "weakens",
            ("low coverage", "the whole log"): "weakens",
        },
    ),
    "most of the overload": (
        sampled(EVENTS, 0.7, since=300),
        {
            ("low coverage", "the overload"): "weakens",
            ("low coverage", "the whole log"): "weakens",
        },
    ),
    "a minute of the baseline": (
        silent(EVENTS, 100, 160),
        {("log gap", ""): "weakens"},
    ),
    "the stage RequestReceived": (
        [e for e in EVENTS if e["stage"] != "RequestReceived"],
        {("omitted stage", "RequestReceived"): "info"},
    ),
    "the end of what a crash interrupted": (
        [e for e in EVENTS if not (e["stage"] == "ResponseComplete" and seconds(e) > 539)],
        {("open requests", "ResponseComplete"): "info"},
    ),
}


@pytest.mark.parametrize(("events", "expected"), LACKING.values(), ids=LACKING)
def test_what_a_log_lacks_is_a_limit(
    store: Store, plant: Ingest, events: list[Event], expected: Limits
) -> None:
    plant(events, **{REQUESTS: COUNTER})
    assert limits(store) == expected


def test_without_the_last_stage_the_log_is_blind(store: Store, plant: Ingest) -> None:
    plant([e for e in EVENTS if e["stage"] != "ResponseComplete"])
    assert limits(store)["omitted stage", "ResponseComplete"] == "blinds"


def test_without_a_counter_the_share_is_unknown(store: Store, plant: Ingest) -> None:
    plant(EVENTS)
    assert limits(store) == {("no request counter", "requests"): "weakens"}


def test_without_a_counter_a_log_of_writes_alone_is_a_policy(store: Store, plant: Ingest) -> None:
    plant([e for e in EVENTS if not is_read(e, "get", "list")])
    assert limits(store)["policy hole", "get and list"] == "blinds"
    assert "kube-audit-admin" in says(store, "policy hole")


def test_without_a_log_nothing_tells_who_called(store: Store, plant: Ingest) -> None:
    plant([], **{REQUESTS: COUNTER})
    assert limits(store) == {("no audit log", "requests"): "blinds"}


@pytest.mark.parametrize(
    ("resource", "verb", "reason"),
    [
        ("leases", "update", "a rule of level None in the audit policy"),
        ("nodes", "get", "the default policies of EKS and GCE"),
    ],
)
def test_a_hole_names_its_likely_reason(
    store: Store, plant: Ingest, resource: str, verb: str, reason: str
) -> None:
    reads = [
        e for i in range(200) for e in request(f"g{i}", received=i, verb="get", resource="nodes")
    ]
    reads += request("g", received=1, verb="get", resource="pods")
    events = EVENTS + reads
    logged = [e for e in events if (of(e), e["verb"]) != (resource, verb)]
    plant(logged, **{REQUESTS: request_counter(events)})
    (hole,) = store.rows("from policy_holes")
    assert (hole["resource"], hole["verb"], hole["audited_requests"]) == (resource, verb, 0)
    assert hole["likely_reason"].startswith(reason)


def test_recorded_nothing_weakens_the_evidence(postmortem: Postmortem) -> None:
    assert set(postmortem.limits()["severity"]) <= {"info"}
    assert postmortem.coverage()["audited_share"].is_between(0.97, 1.2).all()


@pytest.fixture(scope="module")
def scratch() -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        yield Path(folder)


@settings(max_examples=6, derandomize=True, deadline=None)
@given(
    nodes=st.integers(3, 12),
    congestion=st.sampled_from([1.0, 8.0, 60.0]),
    shed=st.floats(0, 0.8),
    every=st.sampled_from([5.0, 15.0, 30.0, 60.0]),
    phase=st.floats(0, 20),
    culprit=st.booleans(),
    seed=st.integers(0, 99),
)
def test_a_clean_log_has_no_limits(
    scratch: Path,
    empty: Path,
    nodes: int,
    congestion: float,
    shed: float,
    every: float,
    phase: float,
    culprit: bool,
    seed: int,
) -> None:
    storm = replace(STORM, nodes=nodes, congestion=congestion, shed=shed, seed=seed)
    events = telemetry_storm(storm if culprit else replace(storm, culprit=None))
    counter = request_counter(events, every=every, until=520)
    late = {k: [(t + phase, v) for t, v in samples] for k, samples in counter.items()}
    true = request_counter(events, every=1, until=545)
    moved = {k: [(t, true[k][int(t)][1]) for t, _ in samples] for k, samples in late.items()}
    log = write_log(scratch / "audit.log", events)
    metrics = write_query_range(scratch / "requests.json", REQUESTS, moved)
    with Store.create(Path(copyfile(empty, scratch / "incident.duckdb"))) as store:
        ingest(store, [log, metrics], "prod")
        assert limits(store) == {}
