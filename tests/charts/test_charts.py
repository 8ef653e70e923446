"""Every chart: its columns, its drawing, time in UTC, and names that nobody can abuse."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest
import vl_convert

from charts.examples import BEGIN, EXAMPLES, LOAD, load
from kubepostmortem.charts import CHARTS

HOSTILE = "a\"b\\c'</script>\n{{x}}${y}"

every_chart = pytest.mark.parametrize("name", CHARTS)


def drawn(name: str, rows: pl.DataFrame) -> dict[str, Any]:
    specification: dict[str, Any] = CHARTS[name](rows).to_dict()
    return specification


def walk(value: Any) -> Iterator[dict[str, Any]]:
    """Every object inside a specification, its data left out."""
    if isinstance(value, dict):
        yield value
        for key, inner in value.items():
            if key not in ("datasets", "values"):
                yield from walk(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from walk(inner)


def test_every_chart_has_an_example() -> None:
    assert set(EXAMPLES) == set(CHARTS)


@every_chart
def test_it_is_drawn(name: str) -> None:
    svg = vl_convert.vegalite_to_svg(drawn(name, EXAMPLES[name]))
    assert svg.startswith("<svg")
    assert "NaN" not in svg


@every_chart
def test_its_data_is_json(name: str) -> None:
    json.dumps(drawn(name, EXAMPLES[name]), allow_nan=False)


@every_chart
def test_no_rows_are_no_error(name: str) -> None:
    for rows in (EXAMPLES[name].clear(), pl.DataFrame()):
        assert "nothing to draw" in vl_convert.vegalite_to_svg(drawn(name, rows))


@every_chart
def test_a_missing_column_is_named(name: str) -> None:
    column = next(c for c in EXAMPLES[name].columns if c not in ("cluster", "throttled"))
    with pytest.raises(ValueError, match=rf"{name} needs columns .*{column}"):
        CHARTS[name](EXAMPLES[name].drop(column))


@every_chart
def test_positions_in_time_are_utc(name: str) -> None:
    parts = [p for p in walk(drawn(name, EXAMPLES[name])) if p.get("type") == "temporal"]
    assert all(part["scale"]["type"] == "utc" for part in parts if "axis" in part)
    assert all("UTC" in part["axis"]["title"] for part in parts if part.get("axis"))


@every_chart
def test_names_from_logs_are_data_only(name: str) -> None:
    text = pl.selectors.string() - pl.selectors.by_name("layer", "kind", require_all=False)
    rows = EXAMPLES[name].with_columns(text.replace(EXAMPLES_TEXT))
    specification = drawn(name, rows)
    vl_convert.vegalite_to_svg(specification)
    expressions = [
        value
        for part in walk(specification)
        for key, value in part.items()
        if key in ("calculate", "expr", "labelExpr", "test", "filter") and isinstance(value, str)
    ]
    assert all(HOSTILE[:4] not in expression for expression in expressions)


EXAMPLES_TEXT = {"otel-agent": HOSTILE, "list": HOSTILE, "pods and nodes": HOSTILE}


def test_labels_of_time_do_not_move_with_the_zone() -> None:
    specification = drawn("load_over_time", LOAD)
    there, here = (in_zone(specification, zone) for zone in ("Asia/Kolkata", "UTC"))
    assert "12:00:30" in here
    assert there == here


def in_zone(specification: dict[str, Any], zone: str) -> str:
    """Draw in a process of its own: V8 reads the zone when it starts."""
    script = "import json, sys, vl_convert as v; print(v.vegalite_to_svg(json.load(sys.stdin)))"
    return subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"TZ": zone},
        input=json.dumps(specification),
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_small_components_are_lumped() -> None:
    specification = drawn("load_over_time", LOAD)
    (colours,) = (
        part["scale"]
        for part in walk(specification)
        if part.get("field") == "name" and "scale" in part
    )
    assert len(colours["domain"]) == 7
    assert colours["domain"][-1] == "others"


def test_clusters_that_count_in_different_intervals_share_a_grid() -> None:
    fine = LOAD.filter(pl.col("component") == "a")
    coarse = fine.with_columns(component=pl.lit("z"), interval_s=pl.lit(30, pl.Int64))
    specification = drawn("load_over_time", pl.concat([fine, coarse]))
    values = [row for rows in specification["datasets"].values() for row in rows if "rate" in row]
    times = {datetime.fromisoformat(row["at"]) for row in values}
    assert all(time.second % 30 == 0 for time in times)


@pytest.mark.parametrize(
    ("span", "label"),
    [
        (timedelta(minutes=2), "%H:%M:%S"),
        (timedelta(hours=5), "%H:%M"),
        (timedelta(days=9), "%Y-%m-%d"),
    ],
)
def test_ticks_are_as_fine_as_the_span_needs(span: timedelta, label: str) -> None:
    rows = EXAMPLES["timeline_lanes"].with_columns(
        happened_at=pl.Series([BEGIN, BEGIN, BEGIN, BEGIN + span])
    )
    formats = {
        part["axis"]["format"]
        for part in walk(drawn("timeline_lanes", rows))
        if "format" in (part.get("axis") or {})
    }
    assert formats == {label}


def test_what_rose_most_has_the_strong_colour() -> None:
    late = load(["steady", "riser"]).with_columns(
        demand_s=pl.when(pl.col("component") == "steady")
        .then(9.0)
        .when(pl.col("interval_at") > BEGIN + timedelta(seconds=60))
        .then(1.0)
        .otherwise(0.0)
    )
    (colours,) = (
        part["scale"]
        for part in walk(drawn("requests_over_time", late))
        if part.get("field") == "name" and "scale" in part
    )
    assert colours["domain"] == ["riser", "steady"]
