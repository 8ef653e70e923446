"""Rates of counters: planted resets, marks of ended series, and gaps."""

from __future__ import annotations

import math
from collections.abc import Sequence

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubepostmortem.store import Store
from planted import at

STALE = math.nan  # what the mark of a series that ended is read as


def plant(store: Store, *counters: Sequence[tuple[float, float]], metric: str = "m_total") -> None:
    """Series of (seconds, value)."""
    for table in ("metric_series", "metric_samples"):
        store.run(f"delete from {table}")
    for n, samples in enumerate(counters):
        store.run(
            "insert into metric_series values ($n, 'prod', $metric, map {}, 1)", n=n, metric=metric
        )
        rows = [(n, at(second), value) for second, value in samples]
        frame = pl.DataFrame(rows, ["series_id", "sampled_at", "value"], orient="row")
        store.insert("metric_samples", frame)


def increases(store: Store) -> list[tuple[float, float]]:
    """Elapsed seconds and increase of each row, in order."""
    return store.frame(
        "select elapsed_s, increase from metric_rate order by series_id, sampled_at"
    ).rows()


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        ([(0, 10), (30, 40)], [(30, 30)]),
        ([(0, 10), (30, 10)], [(30, 0)]),
        ([(0, 100), (30, 20), (60, 50)], [(30, 20), (30, 30)]),
        ([(0, 100), (30, 0), (60, 100)], [(30, 0), (30, 100)]),
        ([(0, 10)], []),
        ([(0, 10), (300, 40)], [(300, 30)]),
        ([(0, 10), (30, STALE), (60, 40)], [(60, 30)]),
        ([(0, 100), (30, STALE), (60, 20)], [(60, 20)]),
        ([(0, STALE), (30, 10), (60, 40), (90, STALE)], [(30, 30)]),
        ([(0, 10), (30, math.inf), (60, 40)], [(60, 30)]),
        ([(0, STALE), (30, STALE)], []),
    ],
    ids=[
        "grows",
        "stands still",
        "was reset",
        "was reset to zero",
        "one sample",
        "a gap",
        "ended and came back",
        "ended and began anew",
        "ended at both ends",
        "infinite",
        "never a value",
    ],
)
def test_what_a_counter_gained(store, samples, expected):
    plant(store, samples)

    assert increases(store) == expected


def test_a_rate_is_the_increase_per_second(store):
    plant(store, [(0, 10), (30, 40)])

    assert store.value("select rate from metric_rate") == 1


def test_one_series_does_not_count_from_another(store):
    plant(store, [(0, 10), (30, 40)], [(10, 500), (40, 501)])

    assert increases(store) == [(30, 30), (30, 1)]


@pytest.mark.parametrize(
    ("metric", "rows"),
    [("h_bucket", 1), ("h_sum", 1), ("h_count", 1), ("h_created", 0), ("go_goroutines", 0)],
)
def test_only_counters_have_rates(store, metric, rows):
    plant(store, [(0, 1), (30, 2)], metric=metric)

    assert len(increases(store)) == rows


@settings(max_examples=15, derandomize=True, deadline=None)
@given(
    gained=st.lists(st.tuples(st.integers(0, 50), st.booleans(), st.booleans()), max_size=12),
)
def test_what_was_counted_between_the_samples_is_found(gained, empty, tmp_path_factory):
    """Each step: so much is counted after an eventual restart; an eventual stale mark precedes."""
    value, samples = 5, [(0.0, 5.0)]
    counted = 0
    for n, (many, restarts, stale) in enumerate(gained, start=1):
        before = value
        value = many if restarts else value + many
        # A restart that is followed by more than was there before cannot be seen by anyone.
        counted += many if not restarts or value < before else value - before
        samples += [(n * 30 - 10.0, STALE)] * stale + [(n * 30.0, float(value))]
    path = tmp_path_factory.mktemp("store") / "incident.duckdb"
    path.write_bytes(empty.read_bytes())

    with Store.create(path) as store:
        plant(store, samples)
        assert store.value("select coalesce(sum(increase), 0) from metric_rate") == counted
