"""The join of the audit log with the API server's own log."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from kubepostmortem.store import Store
from planted import at, request


def logged(audit_id: str, received: float, level: str, took: float = 0.01) -> dict[str, Any]:
    """A row of http_log of a request that was received at this second."""
    return {
        "cluster": "prod",
        "logged_at": at(received + took) + timedelta(microseconds=40),
        "audit_id": audit_id,
        "verb": "LIST",
        "uri": "/api/v1/pods",
        "latency_ms": took * 1000,
        "priority_level": level,
        "initial_seats": 10,
        "ingest_id": 9,
    }


def levels(store: Store) -> list[tuple[str, str | None]]:
    query = "select audit_id, priority_level from requests_with_flow order by received_at, audit_id"
    return store.frame(query).rows()


@pytest.mark.parametrize(
    "audit_id",
    ["6f2c0c5e-6d3c-4d0a-9a57-2f1f7d5b1c01", "mine", "'; drop table requests --", '日本 \\ "x"'],
)
def test_requests_are_joined_on_whatever_the_client_sent_as_audit_id(
    read, store: Store, audit_id: str
) -> None:
    read(request(audit_id) + request("other", received=0.001))
    store.insert("http_log", [logged(audit_id, 0, "workload-low")])

    assert levels(store) == [(audit_id, "workload-low"), ("other", None)]


def test_of_lines_with_one_audit_id_the_nearest_in_time_is_taken(read, store: Store) -> None:
    for when in (10, 20, 30):
        read(request("same", received=when), f"{when}.log")
    store.insert(
        "http_log",
        [
            logged("same", when, f"level-{when}", took)
            for when, took in ((9.6, 60), (20.4, 1), (29, 1))
        ],
    )

    assert [level for _, level in levels(store)] == ["level-9.6", "level-20.4", "level-29"]


def test_the_log_cuts_long_audit_ids(read, store: Store) -> None:
    long = "x" * 200
    read(request(long))
    store.insert("http_log", [logged(long[:64], 0, "exempt")])

    assert levels(store) == [(long, "exempt")]


def test_lines_of_another_cluster_or_without_audit_id_are_not_joined(read, store: Store) -> None:
    read(request("a"))
    store.insert(
        "http_log",
        [logged("a", 0, "x") | {"cluster": "dev"}, logged("a", 0, "y") | {"audit_id": None}],
    )

    assert levels(store) == [("a", None)]
