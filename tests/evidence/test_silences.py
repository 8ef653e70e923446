"""Silences: gaps in a log, API servers that were down, and logs that are just quiet."""

from __future__ import annotations

from typing import Any

import pytest

from conftest import Read
from kubepostmortem.store import Store
from planted import Event, at, request
from planted_counters import Series, request_counter
from planted_evidence import (
    COUNTER,
    EVENTS,
    REQUESTS,
    Ingest,
    limits,
    silent,
)


def gap(store: Store) -> dict[str, Any]:
    (row,) = store.rows("from audit_gaps")
    return row


def test_a_silence_while_requests_were_counted_is_a_gap_in_the_log(
    store: Store, plant: Ingest
) -> None:
    plant(silent(EVENTS, 150, 225), **{REQUESTS: COUNTER})
    found = gap(store)
    assert (found["began_at"], found["ended_at"]) == (at(150), at(225))
    assert found["counted_requests"] > 50
    assert found["meaning"] == "events are missing: the request counter went on"


STOPPED = request_counter(silent(EVENTS, 150, 225))


@pytest.mark.parametrize(
    ("counter", "meaning"),
    [
        (
            {k: [s for s in v if not 150 < s[0] < 225] for k, v in STOPPED.items()},
            "no scrape of it succeeded",
        ),
        (STOPPED, "its request counter stood still"),
    ],
    ids=["not scraped", "standing still"],
)
def test_a_silence_of_the_api_server_is_no_fault_of_the_log(
    store: Store, plant: Ingest, counter: Series, meaning: str
) -> None:
    plant(silent(EVENTS, 150, 225), **{REQUESTS: counter})
    assert meaning in gap(store)["meaning"]
    assert limits(store)["log gap", ""] == "info"


def test_one_of_two_servers_falls_silent(store: Store, read: Read) -> None:
    half = {e["auditID"]: int(e["auditID"][-2:], 16) % 2 for e in EVENTS}
    one = [e for e in EVENTS if half[e["auditID"]]]
    read(silent(one, 200, 280), "kube-apiserver/one-audit.log")
    read([e for e in EVENTS if not half[e["auditID"]]], "kube-apiserver/two-audit.log")
    found = gap(store)
    assert (found["apiserver"], found["place"]) == ("kube-apiserver/one", "inside")
    assert found["other_events"] > 50
    assert limits(store)["log gap", "kube-apiserver/one"] == "weakens"


@pytest.mark.parametrize(
    ("begins", "ends", "place"), [(0, 150, "before its log"), (400, 900, "after its log")]
)
def test_one_of_two_servers_comes_late_or_leaves_early(
    store: Store, read: Read, begins: float, ends: float, place: str
) -> None:
    one = [e | {"auditID": f"b{e['auditID']}"} for e in EVENTS]
    read(silent(one, begins, ends), "kube-apiserver/one-audit.log")
    read(EVENTS, "kube-apiserver/two-audit.log")
    assert (gap(store)["apiserver"], gap(store)["place"]) == ("kube-apiserver/one", place)
    assert limits(store)["log gap", "kube-apiserver/one"] == "info"


def bursts(every: float, size: int, until: float = 3600) -> list[Event]:
    times = (k * every + i * 0.01 for k in range(int(until / every)) for i in range(size))
    return [e for n, t in enumerate(times) for e in request(f"b{n}", received=t, took=0.001)]


@pytest.mark.parametrize(("every", "size"), [(300, 50), (60, 20), (40, 1)])
def test_a_log_that_is_mostly_silent_has_no_gaps(
    store: Store, read: Read, every: float, size: int
) -> None:
    read(bursts(every, size))
    assert store.rows("from audit_gaps") == []
