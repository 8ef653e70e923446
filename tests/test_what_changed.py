"""What changed in the requests: planted polls, relists, versions, sizes and scrapes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from kubepostmortem.questions import what_changed
from kubepostmortem.questions.question import Answer, ask
from kubepostmortem.store import Store
from planted import Event, Storm, at, event, telemetry_storm

IDS = count(1)
STORM = Storm(nodes=10, baseline_s=120, overload_s=100, shed=0)


@pytest.fixture
def polled(read, store: Store) -> Store:
    read(telemetry_storm(STORM))
    return store


def told(store: Store) -> Answer:
    return ask(what_changed, store)


def gauge(store: Store, number: int, metric: str, value: float, **labels: str) -> None:
    store.insert(
        "metric_series",
        [
            {
                "series_id": number,
                "cluster": "prod",
                "metric": metric,
                "labels": labels,
                "ingest_id": 9,
            }
        ],
    )
    times = (130.0, 170.0, 210.0)
    store.insert(
        "metric_samples",
        [
            {"series_id": number, "sampled_at": at(when), "value": value * (1 + i)}
            for i, when in enumerate(times)
        ],
    )


def test_it_compares_the_shapes_of_both_windows(polled: Store) -> None:
    answer = told(polled)

    changes = {one["resource"]: one for one in answer.evidence["changes"]}
    assert set(changes) == {"pods", "nodes", "endpoints"}
    for one in changes.values():
        assert one["shape"] == "list all, most recent"
        assert (one["baseline_rps"], one["baseline_clients"], one["overload_clients"]) == (0, 0, 10)
        assert one["overload_rps"] > 1


def test_a_client_with_a_clock_and_without_a_watch_polls(polled: Store) -> None:
    answer = told(polled)

    assert "polls instead of watching" in answer.evidence["patterns"]
    pace = answer.evidence["pace"][0]
    assert pace["periodic"]
    assert pace["interval_p25_s"] < pace["interval_s"] < pace["interval_p75_s"]
    assert any("by the clock" in caveat for caveat in answer.caveats)


def test_who_watches_what_it_lists_does_not_poll(read, store: Store) -> None:
    read([*telemetry_storm(STORM), *watches()])

    answer = told(store)

    assert "lists again though it watches" in answer.evidence["patterns"]
    assert "polls" not in answer.headline
    assert answer.evidence["also_watch"] == {"endpoints": 1, "nodes": 1, "pods": 1}


def watches() -> Iterator[Event]:
    """A watch of each client for each resource, broken at once."""
    for one in telemetry_storm(STORM):
        if one["verb"] == "list" and "otelcol" in one["userAgent"]:
            yield one | {
                "auditID": f"w{next(IDS)}",
                "verb": "watch",
                "requestURI": one["requestURI"] + "?watch=true&resourceVersion=7",
            }


@pytest.mark.parametrize(
    ("version", "place"),
    [("v1.36.2", "mostly the watch cache"), ("v1.29.9", "etcd, by quorum read"), (None, "unknown")],
)
def test_the_version_tells_where_lists_are_served_from(
    read, store: Store, version: str | None, place: str
) -> None:
    events = telemetry_storm(STORM)
    for one in events:
        if "kube-controller-manager" in one["userAgent"]:
            one["userAgent"] = f"kube-controller-manager/{version} (linux/amd64)" if version else ""
    read(events)

    answer = told(store)

    assert answer.evidence["served_from"].startswith(place)


def test_a_gate_that_is_off_overrules_the_version(polled: Store) -> None:
    gate = {"name": "ConsistentListFromCache", "stage": "BETA"}
    gauge(polled, 1, "kubernetes_feature_enabled", 0, **gate)

    answer = told(polled)

    assert "that is switched off" in answer.evidence["served_from"]


def test_a_round_is_what_its_lists_hold(polled: Store) -> None:
    objects = {"pods": 3000, "nodes": 200, "endpoints": 100}
    rows = [
        {"cluster": "prod", "resource": name, "objects": many, "ingest_id": 9}
        for name, many in objects.items()
    ]
    polled.insert("listed_objects", rows)
    for number, name in enumerate(objects):
        labels = {"verb": "LIST", "resource": name}
        gauge(polled, 10 + number, "apiserver_response_sizes_sum", 2e6, **labels)
        gauge(polled, 20 + number, "apiserver_response_sizes_count", 10, **labels)

    cycle = told(polled).evidence["cycle"]

    assert cycle["objects"] == 3300
    assert cycle["sent_bytes"] == pytest.approx(3 * 2e5)
    assert cycle["offered_rps"] == pytest.approx(10 * 3 / 4, rel=0.05)
    assert cycle["objects_per_s"] == pytest.approx(10 * 3300 / 4, rel=0.05)


def test_without_counts_the_size_of_a_round_is_missing(polled: Store) -> None:
    answer = told(polled)

    assert answer.evidence["cycle"]["objects"] is None
    assert {"object counts", "sizes of answers"} <= {one.evidence for one in answer.missing}


def test_scrapes_are_told_from_lists(read, store: Store) -> None:
    otel = [e for e in telemetry_storm(STORM) if "otelcol" in e["userAgent"]]
    scrapes = [
        {key: value for key, value in e.items() if key != "objectRef"}
        | {"auditID": f"s{next(IDS)}", "verb": "get", "requestURI": "/metrics"}
        for e in otel[::6]
    ]
    read([*telemetry_storm(STORM), *scrapes])

    answer = told(store)

    assert 0 < answer.evidence["scrape_share"] < 0.5
    purposes = {one["purpose"] for one in answer.evidence["purposes"]}
    assert purposes == {"list of resources", "scrape of API server metrics"}


def test_hostile_names_stay_text(read, store: Store) -> None:
    name = "x'\"</script>\u202e\n1.0"
    events = telemetry_storm(STORM)
    for one in events:
        if "otelcol" in one["userAgent"]:
            one["userAgent"] = name
    read([*events, event("h", received=5.0, agent=name)])

    assert told(store).status == "answered"
