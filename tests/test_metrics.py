"""The metrics we know: the entries of metrics.toml, and the selectors made of them."""

from __future__ import annotations

from itertools import chain

import pytest

from kubepostmortem.collect import steps
from kubepostmortem.metrics import PARTS, Metric, metrics, units

EXAMPLE = Metric("took", "histogram", "seconds", (), "Time.", (), was=("lasted",), bounds=("1",))


def test_entries_are_in_order() -> None:
    names = [metric.name for metric in metrics()]
    assert names == sorted(set(names))


def test_no_series_is_named_twice() -> None:
    every = list(chain.from_iterable(metric.series for metric in metrics()))
    assert len(every) == len(set(every))


def test_units_are_all_used() -> None:
    assert {metric.unit for metric in metrics()} == units().keys()


@pytest.mark.parametrize("metric", metrics(), ids=lambda metric: metric.name)
def test_an_entry_is_complete(metric: Metric) -> None:
    known = {id for step in steps() for id in step.questions}
    assert metric.kind in PARTS
    assert metric.questions and set(metric.questions) <= known
    assert len(set(metric.questions)) == len(metric.questions)
    assert metric.tells.endswith(".") and not metric.tells.endswith("..")
    assert not metric.bounds or metric.kind == "histogram"


@pytest.mark.parametrize(
    "metric", [m for m in metrics() if m.name.endswith("_total")], ids=lambda m: m.name
)
def test_a_total_is_a_counter(metric: Metric) -> None:
    assert metric.kind == "counter"


def test_selectors_are_for_what_is_there() -> None:
    there = {"took_bucket", "took_count", "lasted_sum", "other"}
    assert EXAMPLE.selectors(there) == ['took_bucket{le=~"1|1.0"}', "took_count", "lasted_sum"]


def test_selectors_take_further_matchers() -> None:
    assert EXAMPLE.selectors({"took_bucket", "took"}, 'cluster="a"') == [
        'took{cluster="a"}',
        'took_bucket{le=~"1|1.0",cluster="a"}',
    ]
