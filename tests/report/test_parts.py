"""Parts of the report: cells, the timeline, statements and prose."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from kubepostmortem.questions.question import Figure, Statement
from kubepostmortem.report import cells
from kubepostmortem.report.cells import Cell, Heading, cell, grid, heading
from kubepostmortem.report.contents import outline
from kubepostmortem.report.drawing import Drawing, script_json
from kubepostmortem.report.prose import prose
from kubepostmortem.report.statements import Statements
from kubepostmortem.report.timeline import folded, shortened

BEGIN = datetime(2026, 3, 1, 12)


@pytest.mark.parametrize(
    ("column", "value", "text", "look"),
    [
        ("requests", 1234567, "1\u202f234\u202f567", "number"),
        ("requests", Decimal(1200), "1\u202f200", "number"),
        ("baseline_rps", 10.26, "10.3", "number"),
        ("baseline_rps", 1234.5, "1\u202f234", "number"),
        ("overload_demand", 0.00002, "<\u202f0.001", "number"),
        ("pause_s", -0.5, "\u22120.5", "number"),
        ("pause_s", float("nan"), "nan", "text"),
        ("share_of_demand", 0.974, "97%", "number"),
        ("share", 0.0001, "<\u202f0.1%", "number"),
        ("share", 0, "0%", "number"),
        ("cluster_wide", True, "yes", "text"),
        ("onset", BEGIN, "2026-03-01 12:00:00", "time"),
        ("at", "2026-03-01T12:00:00.25Z", "2026-03-01 12:00:00", "time"),
        ("lasted", timedelta(seconds=250), "4 min 10 s", "number"),
        ("resources", ["pods", "nodes"], "pods, nodes", "text"),
        ("rejected_by_reason", {"cut": 2}, "cut: 2", "text"),
        ("rejected_by_reason", [{"key": "cut", "value": 2}], "cut: 2", "text"),
        ("kind", "primary", "primary", "tag-strong"),
        ("why", "x" * 60, "x" * 60, "long"),
        ("notes", None, "\u2013", "text"),
        ("notes", "", "\u2013", "text"),
    ],
)
def test_cells_read_well(column: str, value: Any, text: str, look: str) -> None:
    written = cell(column, value)
    assert (written.text, written.look) == (text, look)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("baseline_rps", Heading("baseline requests", "per s")),
        ("overload_demand", Heading("overload demand", "s per s")),
        ("latency_ms", Heading("latency", "ms")),
        ("first_at", Heading("first", "UTC")),
        ("onset", Heading("onset", "UTC")),
        ("share_of_requests", Heading("share of requests")),
        ("requests_per_s", Heading("requests", "per s")),
    ],
)
def test_headings_carry_units(column: str, expected: Heading) -> None:
    assert heading(column) == expected


def test_a_grid_leaves_out_empty_columns_and_aligns_numbers() -> None:
    rows = pl.DataFrame({"name": ["a", "b"], "notes": [None, None], "requests": [None, 3]})
    table = grid("says", rows)
    assert [(h.text, h.look) for h in table.headings] == [("name", "text"), ("requests", "number")]
    assert table.rows[0] == [Cell("a"), Cell("\u2013")]


def test_long_words_break_where_a_reader_would() -> None:
    assert cells.breakable("system:serviceaccount:ci") == "system:<wbr>serviceaccount:<wbr>ci"
    assert cells.breakable("x" * 30) == "x" * 24 + "<wbr>" + "x" * 6
    assert cells.breakable("a<b>c") == "a&lt;b&gt;c"
    assert "<script" not in cells.breakable("<script>alert(1)</script>")


def test_times_in_sentences_do_not_break() -> None:
    dated = cells.dated("<b> began 2026-03-01 12:00:00 UTC")
    assert dated == (
        '&lt;b&gt; began <time datetime="2026-03-01T12:00:00Z">2026-03-01 12:00:00 UTC</time>'
    )


def test_control_characters_in_a_chart_are_written_out() -> None:
    row = {
        "component": "a\x1b[31m\x00",
        "verb": "list",
        "resources": "pods",
        "kind": "primary",
        "share_of_demand": 1.0,
        "share_of_requests": 1.0,
        "onset": BEGIN,
        "why": "grew",
    }
    drawing = Drawing(Figure("growth_bars", "grows \x07", pl.DataFrame([row])))
    assert r"a\x1b[31m\x00" in json.dumps(drawing.specification).replace("\\\\", "\\")
    assert drawing.image.startswith("data:image/svg+xml")


def test_json_cannot_leave_a_script() -> None:
    text = script_json({"a": "</script><!--&\u2028"})
    assert not set("<>&\u2028") & set(text)


def test_neighbouring_events_fold_and_the_rest_does_not() -> None:
    kinds = ["event", "event", "deploy", "event", "window"]
    titles = ["BackOff Pod/a", "BackOff Pod/b", "otel-agent", "BackOff Pod/c", "overload ends"]
    moments = folded(_timeline(kinds, titles))
    assert [(m.title, m.count) for m in moments] == [
        ("BackOff Pod/a and 1 more like it", 2),
        ("otel-agent", 1),
        ("BackOff Pod/c", 1),
        ("overload ends", 1),
    ]


def test_a_long_timeline_loses_events_only() -> None:
    rows = _timeline(["event"] * 8 + ["window"], ["e"] * 8 + ["overload ends"])
    assert shortened(rows, most=3)["title"].to_list() == ["e", "e", "overload ends"]


def test_equal_statements_have_one_number() -> None:
    statements = Statements()
    one, other = Statement("a", "select $x", {"x": 1}), Statement("b", "select $x", {"x": 2})
    statements.add([one, other, one])
    assert [s.number for s in statements.numbered([other, one])] == [2, 1]
    assert statements.listed[1].text == "-- $x = 2\nselect $x"


def test_prose_is_escaped_and_its_headings_can_be_linked() -> None:
    markup = prose("## Who *grew* & why\n\n<script>x</script>\n\n[y](javascript:z)")
    assert 'id="who-grew-why"' in markup
    assert "<script" not in markup
    assert "javascript:" not in markup
    title, headings = outline(f'<h1 id="top">Title <a href="#top">#</a></h1>{markup}')
    assert title == "Title"
    assert [h.text for h in headings] == ["Who grew & why"]


def _timeline(kinds: list[str], titles: list[str]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "cluster": "prod",
            "happened_at": [BEGIN + timedelta(seconds=i) for i in range(len(kinds))],
            "kind": kinds,
            "title": titles,
            "detail": None,
        }
    )
