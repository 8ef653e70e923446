"""What is printed: safe on a terminal, and plain data for programs."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import Read
from kubepostmortem.output import CONTROL, emit, machine_form, markdown, plain, print_answer
from kubepostmortem.postmortem import Postmortem
from kubepostmortem.questions.question import Answer, Missing, Statement, Table
from kubepostmortem.store import Store
from planted import Storm, at, telemetry_storm

HOSTILE = {
    "colour": "\x1b[31mred",
    "clears the screen": "\x1b[2J\x1b[H",
    "C1 escape": "\x9b31m",
    "title": "\x1b]0;owned\x07",
    "carriage return": "kind\rfake",
    "backspace": "evil\x08\x08\x08\x08good",
    "bidi override": "user\u202egnp.exe",
    "bidi isolate": "a\u2066b\u2069c",
    "bidi mark": "a\u200fb\u061cc",
    "line separator": "a\u2028b",
    "NUL": "a\0b",
}

Capture = pytest.CaptureFixture[str]


def printed(rows: pl.DataFrame, how: str, capsys: Capture) -> str:
    emit(rows, how)
    return capsys.readouterr().out


# Hostile text


@pytest.mark.parametrize("how", ["table", "md", "json", "jsonl"])
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_shown_not_executed(text: str, how: str, capsys: Capture) -> None:
    out = printed(pl.DataFrame({"agent": [text], text: [1]}), how, capsys)
    assert not CONTROL.search(out)
    assert "\r" not in out
    if how in ("json", "jsonl"):
        read = json.loads(out)
        row = read[0] if how == "json" else read
        assert row == {"agent": text, text: 1}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_in_an_answer_is_shown_not_executed(text: str, capsys: Capture) -> None:
    print_answer(
        Answer(
            "who-grew",
            "answered",
            "low",
            headline=text,
            caveats=[text],
            missing=[Missing(text, text)],
            tables=[Table(text, pl.DataFrame({text: [text]}))],
        ),
        "table",
    )
    assert not CONTROL.search(capsys.readouterr().out)


def test_text_without_control_characters_stays_as_it_is() -> None:
    assert plain("日本 é 😀 \\x1b tab\t") == "日本 é 😀 \\x1b tab\t"


@settings(max_examples=50, derandomize=True, deadline=None)
@given(text=st.text())
def test_plain_text_has_no_control_characters(text: str) -> None:
    assert not CONTROL.search(plain(text))


@pytest.mark.parametrize("cell", ["a|b", "a\nb", "a\r\nb", "| --- |"])
def test_a_cell_cannot_break_a_markdown_table(cell: str) -> None:
    text = markdown(pl.DataFrame({"a": [cell], "b": [1]}))
    lines = text.splitlines()
    assert len(lines) == 3
    assert all(line.replace("\\|", "").count("|") == 3 for line in lines)


def test_markup_of_rich_is_text(capsys: Capture) -> None:
    rows = pl.DataFrame({"[bold]": ["[red]x[/red] [/nothing]"]})
    assert "[red]x[/red] [/nothing]" in printed(rows, "table", capsys)


def test_answers_about_hostile_clients_are_safe(store: Store, read: Read, capsys: Capture) -> None:
    storm = telemetry_storm(Storm(nodes=4, baseline_s=60, overload_s=60))
    hostile = "\x1b[2Jagent\u202e/1.0"
    read([e | {"userAgent": hostile} if "otelcol" in e["userAgent"] else e for e in storm])
    store.close()
    postmortem = Postmortem.open(store.path)
    for answer in postmortem.answers():
        for how in ("table", "json"):
            print_answer(answer, how)
            assert not CONTROL.search(capsys.readouterr().out)
    postmortem.store.close()


# Values


MIXED = {
    "moment": (datetime(2026, 3, 1, 12), "2026-03-01T12:00:00Z"),
    "exact": (datetime(2026, 3, 1, 12, 0, 0, 5), "2026-03-01T12:00:00.000005Z"),
    "day": (date(2026, 3, 1), "2026-03-01"),
    "clock": (time(12, 30), "12:30:00"),
    "span": (timedelta(minutes=1, milliseconds=500), 60.5),
    "whole": (Decimal("12"), 12),
    "decimal": (Decimal("1.5"), 1.5),
    "nested": ({"a": [1, None], "b": {"c": "x"}}, {"a": [1, None], "b": {"c": "x"}}),
    "yes": (True, True),
    "none": (None, None),
    "bytes": (b"a\xff", "a\\xff"),
    "not a number": (float("nan"), None),
    "infinite": (float("-inf"), None),
}


@pytest.mark.parametrize(("value", "expected"), MIXED.values(), ids=MIXED)
def test_json_says_every_value_in_its_own_way(value: Any, expected: Any, capsys: Capture) -> None:
    rows = pl.DataFrame({"x": [value]}, strict=False)
    (row,) = json.loads(printed(rows, "json", capsys), parse_constant=pytest.fail)
    assert row == {"x": expected}


@pytest.mark.parametrize("how", ["table", "md", "csv"])
@pytest.mark.parametrize("name", ["moment", "exact", "day", "clock"])
def test_times_read_the_same_in_every_format(name: str, how: str, capsys: Capture) -> None:
    value, text = MIXED[name]
    out = printed(pl.DataFrame({"x": [value]}), how, capsys)
    assert str(text) in out.replace("|", " ").split()


@pytest.mark.parametrize("how", ["table", "md", "csv", "json", "jsonl"])
def test_a_time_with_zone_is_printed_with_one(how: str, capsys: Capture) -> None:
    rows = pl.DataFrame({"x": [datetime(2026, 3, 1, 12, tzinfo=UTC)]})
    out = printed(rows, how, capsys)
    assert "2026-03-01T12:00:00+00:00" in out
    assert "00Z" not in out


def test_csv_holds_nested_values_as_json(capsys: Capture) -> None:
    rows = pl.DataFrame(
        {"list": [[1, 2], None], "struct": [{"a": "x,y"}, {"a": None}], "when": [at(0), None]}
    )
    table = list(csv.DictReader(io.StringIO(printed(rows, "csv", capsys))))
    assert [json.loads(row["struct"]) for row in table] == [{"a": "x,y"}, {"a": None}]
    assert [row["list"] for row in table] == ["[1, 2]", ""]
    assert [row["when"] for row in table] == ["2026-03-01T12:00:00Z", ""]


def test_jsonl_is_one_object_per_line(capsys: Capture) -> None:
    rows = pl.DataFrame({"x": ["a\nb", "c"], "y": [at(1), at(2)]})
    lines = printed(rows, "jsonl", capsys).splitlines()
    assert [json.loads(line)["x"] for line in lines] == ["a\nb", "c"]


@pytest.mark.parametrize(
    ("how", "expected"),
    [("json", "[]\n"), ("jsonl", ""), ("csv", "a\n"), ("md", "| a |\n| --- |\n")],
)
def test_no_rows_are_no_error(how: str, expected: str, capsys: Capture) -> None:
    assert printed(pl.DataFrame({"a": []}), how, capsys) == expected


def test_a_long_cell_is_cut_in_tables_only(capsys: Capture) -> None:
    rows = pl.DataFrame({"x": ["y" * 500]})
    assert "y" * 61 not in printed(rows, "table", capsys)
    for how in ("md", "csv", "json", "jsonl"):
        assert "y" * 500 in printed(rows, how, capsys)


def test_a_table_in_a_pipe_keeps_a_row_on_one_line(capsys: Capture) -> None:
    rows = pl.DataFrame({f"column {i}": ["some words here"] for i in range(30)})
    assert len(printed(rows, "table", capsys).splitlines()) == 2


def test_an_answer_for_machines_is_plain_data() -> None:
    answer = Answer(
        "who-grew",
        "answered",
        "low",
        "h",
        evidence={"at": at(0), "share": float("nan"), "list": ({"n": Decimal(3)},)},
        missing=[Missing("a", "b")],
        sql=[Statement("rows", "select $x", {"x": at(1)})],
    )
    assert machine_form(answer) == {
        "question": "who-grew",
        "status": "answered",
        "confidence": "low",
        "headline": "h",
        "evidence": {"at": "2026-03-01T12:00:00Z", "share": None, "list": [{"n": 3}]},
        "caveats": [],
        "missing": [{"evidence": "a", "collect": "b"}],
        "sql": [{"shows": "rows", "sql": "select $x", "parameters": {"x": "2026-03-01T12:00:01Z"}}],
    }
