"""Properties of attribution: what must not change the answer, and what must always sum."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubepostmortem.attribution.attribute import Attribution, attribute
from kubepostmortem.attribution.load import MEASURES
from planted_load import Cell, axis, rows, usual

few = settings(max_examples=30, derandomize=True, deadline=None)

cells = st.lists(
    st.builds(
        Cell,
        component=st.sampled_from("abcdef"),
        verb=st.sampled_from(["list", "get", "update"]),
        resource=st.sampled_from(["pods", "nodes", None]),
        before=st.floats(0, 20),
        after=st.floats(0, 200),
        cost_s=st.floats(0, 0.5),
        kind=st.just("telemetry"),
        begins=st.integers(0, 20),
        refused=st.floats(0, 1),
        joined=st.floats(0, 1),
        took_s=st.tuples(st.floats(0, 1), st.floats(0, 9)),
        seats=st.floats(1, 100),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda cell: cell.key,
)


def answer(found: Attribution) -> list[tuple[object, ...]]:
    return [(c.pattern, c.kind, c.onset, round(c.share, 9)) for c in found.causes]


def whole(found: Attribution) -> dict[str, float]:
    return {measure: found.ledger.totals[measure].growth for measure in MEASURES}


@few
@given(cells=cells, joined=st.floats(0, 200))
def test_lines_sum_to_the_growth_of_the_load(cells: list[Cell], joined: float) -> None:
    load, bins = rows(cells), axis(joined)
    found = attribute(load, bins)
    weights = pl.DataFrame({"bin": range(bins.bins), "weight": bins.growth_weights()})
    weighed = load.join(weights, on="bin").select(
        (pl.col("weight") * amount).sum().alias(measure)
        for measure, amount in (
            ("requests", pl.col("requests")),
            ("request_seconds", pl.col("request_s")),
            ("demand", pl.col("requests") * pl.col("unit_cost_s")),
            ("seats", pl.col("requests") * pl.col("seats")),
        )
    )
    for measure in MEASURES:
        total = weighed[measure].item()
        lines = sum(line.estimates[measure].growth for line in found.ledger.lines)
        assert lines == pytest.approx(total, rel=1e-9, abs=1e-9)
        assert whole(found)[measure] == pytest.approx(total, rel=1e-9, abs=1e-9)


@few
@given(cells=cells)
def test_intervals_hold_their_estimate(cells: list[Cell]) -> None:
    for line in attribute(rows(cells), axis()).ledger.lines:
        for one in line.estimates.values():
            assert one.low <= one.growth + 1e-9
            assert one.high >= one.growth - 1e-9


@few
@given(cells=cells, order=st.randoms())
def test_the_order_of_rows_does_not_matter(cells: list[Cell], order: object) -> None:
    load = rows(cells)
    shuffled = load.sample(fraction=1, shuffle=True, seed=7)
    assert answer(attribute(load, axis())) == answer(attribute(shuffled, axis()))


@few
@given(cells=cells)
def test_renaming_components_renames_the_answer(cells: list[Cell]) -> None:
    # The order of names is kept: only ties could be broken otherwise.
    renamed = [replace(cell, component="x" + cell.component) for cell in cells]
    before, after = (attribute(rows(group, seed=None), axis()) for group in (cells, renamed))
    assert [
        ("x" + str(c.pattern.component), c.kind) for c in before.causes if c.pattern.component
    ] == [(c.pattern.component, c.kind) for c in after.causes if c.pattern.component]


@few
@given(cells=cells)
def test_splitting_the_clients_of_a_component_changes_nothing(cells: list[Cell]) -> None:
    load = rows(cells)
    halves = pl.concat([load, load]).with_columns(
        pl.col("requests", "throttled", "failed", "new_node_requests", "request_s") / 2
    )
    assert answer(attribute(load, axis())) == answer(attribute(halves, axis()))


@few
@given(cells=cells, rate=st.floats(1, 1000))
def test_a_constant_background_changes_no_cause(cells: list[Cell], rate: float) -> None:
    background = Cell("background", "get", "leases", rate, rate, kind="control-plane")
    load = rows([*usual(), *cells])
    more = pl.concat([load, rows([background], seed=None)])
    assert answer(attribute(load, axis())) == answer(attribute(more, axis()))
