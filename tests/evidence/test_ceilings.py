"""Flat ceilings of full sinks, and clocks that differ."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from conftest import Read
from kubepostmortem.store import Store
from planted import Event, at, request
from planted_evidence import (
    REQUESTS,
    Ingest,
    limits,
)

# Rows that would take large logs: written as the loader would


FILL = """
insert into requests by name
select
    'prod' as cluster, '' as apiserver, uuid()::varchar as audit_id, 'ResponseComplete' as stage,
    begins + to_microseconds(10000000 * n // rate // 10) as received_at,
    received_at as finished_at, 4 as stages_seen, 'get' as verb, 'pods' as resource,
    'cluster' as scope, 'x' as component, 'y' as kind, 0 as ingest_id, false as truncated,
    false as continues, false as watch, false as send_initial_events, false as dry_run
from (
    select $begin::timestamp + to_seconds(10 * i) as begins, rate
    from (select unnest($rates) as rate, unnest(range(len($rates))) as i)
)
cross join lateral (select unnest(range(10 * rate)) as n)
"""


def fill(store: Store, rates: Sequence[int]) -> None:
    """Fill requests: so many events per second in each interval of ten seconds."""
    store.run(FILL, begin=at(0), rates=list(rates))


QUIET = [400, 700, 550, 300, 800, 600, 500, 450]


@pytest.mark.parametrize(
    ("rates", "found"),
    [
        ([*QUIET, 3990, 4000, 3985, 4000, 3995, 4000, 3990, *QUIET], [(80, 150, True)]),
        ([*QUIET, 1500, 1490, 1500, 1495, 1500, 1500, *QUIET], [(80, 140, False)]),
        ([*QUIET, 3990, 3200, 4000, 2900, 3995, 3500, 3990, *QUIET], []),
        ([2000] * 20, []),
        (QUIET + [500] * 8 + QUIET, []),
    ],
    ids=["at the default of the webhook", "at another ceiling", "varied", "always even", "small"],
)
def test_a_flat_ceiling_is_a_plateau(
    store: Store, rates: list[int], found: list[tuple[float, float, bool]]
) -> None:
    fill(store, rates)
    rows = store.rows("from sink_plateaus")
    spans = [(r["began_at"], r["ended_at"], r["at_webhook_default"]) for r in rows]
    assert spans == [(at(begins), at(ends), default) for begins, ends, default in found]


@pytest.mark.parametrize("counted_twice", [True, False])
def test_the_counter_decides_on_a_plateau(store: Store, plant: Ingest, counted_twice: bool) -> None:
    fill(store, QUIET + [1500] * 7 + QUIET)
    times = [0.0, 80.0, 95.0, 110.0, 125.0, 140.0, 150.0, 230.0]
    rate = 3000 if counted_twice else 1500
    values = [(t, 1e5 + rate * t) for t in times]
    plant([], **{REQUESTS: {(("verb", "GET"), ("resource", "pods")): values}})
    found = [row["audited_share"] for row in store.rows("from sink_plateaus")]
    assert found == ([pytest.approx(0.5, rel=0.01)] if counted_twice else [])


def pairs(ahead: float) -> tuple[list[Event], list[Event]]:
    """Requests that a front server and an aggregated one log; the inner one's clock is ahead."""
    chance = random.Random(2)
    front, inner = [], []
    for i in range(50):
        name, begins, takes = f"p{i}", 5.0 * i, 0.05 + chance.random() / 20
        front += request(name, received=begins, took=takes, resource="pods", group="metrics.k8s.io")
        inner += request(
            name,
            received=begins + 0.01 + ahead,
            took=takes - 0.03,
            resource="pods",
            group="metrics.k8s.io",
        )
    return front, inner


@pytest.mark.parametrize(
    ("ahead", "severity"), [(0.0, None), (0.05, None), (0.5, "info"), (-4.0, "weakens")]
)
def test_clocks_are_compared_by_requests_that_two_servers_logged(
    store: Store, read: Read, ahead: float, severity: str | None
) -> None:
    front, inner = pairs(ahead)
    read(front, "kube-apiserver/a-audit.log")
    read(inner, "openshift-apiserver/a-audit.log")
    (skew,) = store.rows("from clock_skew")
    assert skew["shared_requests"] == 50
    assert skew["least_ms"] <= 1e3 * ahead <= skew["most_ms"]
    assert skew["most_ms"] - skew["least_ms"] < 100
    assert limits(store).get(("clock skew", "openshift-apiserver/a")) == severity
