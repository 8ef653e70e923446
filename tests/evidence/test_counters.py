"""The API server's own counters: read as they were exported, and what they say of the log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kubepostmortem.ingest import ingest
from kubepostmortem.store import Store
from planted import request
from planted_counters import Series, request_counter, reset, steady, write_query_range
from planted_evidence import (
    COUNTER,
    EVENTS,
    REQUESTS,
    Ingest,
    Limits,
    limits,
)


def counted(store: Store) -> dict[str, tuple[float, int]]:
    rows = store.rows("from coverage")
    return {r["verb"]: (r["counted_requests"], r["audited_requests"]) for r in rows}


def halves(series: Series) -> tuple[Series, Series]:
    """Two API servers of which one answers a third."""
    one = {k: [(t, v // 3) for t, v in samples] for k, samples in series.items()}
    other = {k: [(t, v - v // 3) for t, v in samples] for k, samples in series.items()}
    return one, other


@pytest.fixture
def scraped(store: Store, plant: Ingest, tmp_path: Path) -> Ingest:
    """Ingest the clean log, and request counters by API server or export."""

    def ingest_counters(**exports: tuple[Series, dict[str, str]]) -> None:
        plant(EVENTS)
        files = [
            write_query_range(tmp_path / f"{name}.json", REQUESTS, series, **labels)
            for name, (series, labels) in exports.items()
        ]
        ingest(store, files, "prod")

    return ingest_counters


SUMMED = request_counter(EVENTS, by=("verb",))
ONE, OTHER = halves(COUNTER)
EXPORTS: dict[str, dict[str, tuple[Series, dict[str, str]]]] = {
    "one server": {"a": (COUNTER, {})},
    "two servers": {"a": (ONE, {"instance": "a"}), "b": (OTHER, {"instance": "b"})},
    "a server that restarts": {
        "a": ({k: reset(v, 200) for k, v in COUNTER.items()}, {"instance": "a"})
    },
    "series that turn up when they first count": {
        "a": (
            {k: [s for s in v if s[1] > 0] for k, v in request_counter(EVENTS, start=0).items()}
            | {(("verb", "GET"), ("resource", "leases"), ("code", "200")): [(0.0, 7.0)]},
            {"instance": "a"},
        )
    },
    "a target that gets another name": {
        "a": ({k: v[:15] for k, v in COUNTER.items()}, {"instance": "a", "pod": "x"}),
        "b": ({k: v[14:] for k, v in COUNTER.items()}, {"instance": "a", "pod": "y"}),
    },
    "the same by two Prometheis": {
        "a": (COUNTER, {"prometheus_replica": "a"}),
        "b": (COUNTER, {"prometheus_replica": "b"}),
    },
    "a sum beside it": {"a": (COUNTER, {"instance": "a"}), "b": (SUMMED, {})},
    "another component beside it": {
        "a": (COUNTER, {"job": "apiserver"}),
        "b": (COUNTER, {"job": "kube-controller-manager"}),
    },
    "only a sum by verb": {"a": (SUMMED, {})},
    "without code": {"a": (request_counter(EVENTS, by=("verb", "resource", "subresource")), {})},
    "scrapes that fail": {
        "a": ({k: [s for s in v if not 200 < s[0] < 300] for k, v in COUNTER.items()}, {})
    },
}


@pytest.mark.parametrize("exports", EXPORTS.values(), ids=EXPORTS)
def test_a_counter_is_read_as_it_was_exported(store: Store, scraped: Ingest, exports: Any) -> None:
    scraped(**exports)
    found = counted(store)
    assert {"list", "update", "watch", "patch"} <= set(found)
    for verb, (was_counted, audited) in found.items():
        assert was_counted == pytest.approx(audited, rel=0.02, abs=2), verb
    assert limits(store) == {}


def test_a_sum_that_loses_a_server_proves_nothing(store: Store, scraped: Ingest) -> None:
    summed = {
        k: [(t, v - 600 if 200 < t < 300 else v) for t, v in samples]
        for k, samples in SUMMED.items()
    }
    scraped(a=(summed, {}))
    found = limits(store)
    assert found["summed counter", REQUESTS] == "info"
    assert set(found.values()) == {"info"}


def test_streams_are_compared_whatever_their_verb_is_called(store: Store, plant: Ingest) -> None:
    exec_calls = [
        e
        for i in range(100)
        for e in request(f"x{i}", received=i + 20, verb="get", resource="pods", subresource="exec")
    ]
    series = request_counter(EVENTS + exec_calls)
    old = {
        tuple(
            ("verb", "CONNECT") if ("subresource", "exec") in k and n == "verb" else (n, v)
            for n, v in k
        ): samples
        for k, samples in series.items()
    }
    plant(EVENTS + exec_calls, **{REQUESTS: old})
    assert counted(store)["connect"] == (100, 100)
    assert limits(store) == {}


def test_streams_that_no_label_tells_apart_are_no_hole(store: Store, plant: Ingest) -> None:
    events = [
        e
        for i in range(100)
        for e in request(f"x{i}", received=i + 20, verb="get", resource="pods", subresource="exec")
    ]
    series = request_counter(EVENTS, by=("verb", "resource", "code"))
    streams = request_counter(events, by=("resource", "code"))
    plant(
        EVENTS + events,
        **{REQUESTS: series | {(("verb", "CONNECT"), *k): v for k, v in streams.items()}},
    )
    assert limits(store) == {}


# Counters of the audit log itself


TOTAL = len(EVENTS)
AUDIT_COUNTERS: dict[str, tuple[str, Series, Limits]] = {
    "as many events as were logged": ("event_total", steady({"": TOTAL}), {}),
    "more events than were logged": (
        "event_total",
        steady({"": 1.5 * TOTAL}),
        {("lost events", "audit events"): "weakens"},
    ),
    "far more events than were logged": (
        "event_total",
        steady({"": 3 * TOTAL}),
        {("lost events", "audit events"): "blinds"},
    ),
    "errors of a backend": (
        "error_total",
        steady({"buffered": 900.0, "log": 0.0}, name="plugin"),
        {("backend errors", "buffered"): "weakens"},
    ),
    "refusals": (
        "requests_rejected_total",
        steady({"": 12.0}),
        {("refused for audit", "requests"): "info"},
    ),
    "a policy that leaves out some": (
        "level_total",
        steady({"None": 200.0, "Metadata": 1800.0}, name="level"),
        {("level None", "audit policy"): "info"},
    ),
    "a policy that leaves out most": (
        "level_total",
        steady({"None": 1200.0, "Metadata": 800.0}, name="level"),
        {("level None", "audit policy"): "weakens"},
    ),
}


@pytest.mark.parametrize(
    ("metric", "series", "expected"), AUDIT_COUNTERS.values(), ids=AUDIT_COUNTERS
)
def test_what_the_api_server_says_of_its_log_is_a_limit(
    store: Store, plant: Ingest, metric: str, series: Series, expected: Limits
) -> None:
    plant(EVENTS, **{REQUESTS: COUNTER, f"apiserver_audit_{metric}": series})
    assert limits(store) == expected
