"""Printing: rows and answers on standard output, for people or for programs."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kubepostmortem.incident import iso
from kubepostmortem.questions.question import Answer

CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
WIDEST_CELL = 60
LONGEST_LINE = 300


def emit(rows: pl.DataFrame, how: str) -> None:
    """Print rows as table, json (one array), jsonl, csv or md."""
    if how == "json":
        print_json(rows.to_dicts())
    elif how == "jsonl":
        for row in rows.iter_rows(named=True):
            sys.stdout.write(_dumps(row, indent=None) + "\n")
    elif how == "csv":
        sys.stdout.write(_flat(rows).write_csv())
    elif how == "md":
        sys.stdout.write(markdown(rows))
    else:
        _table(rows)


def ledger_files(ledger: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the ledger as `inspect -o json` prints it."""
    return [
        {
            **{name: row[name] for name in ("path", "format", "lines", "loaded", "duplicates")},
            "filtered": row["filtered"],
            "rejected": dict(row["rejected_by_reason"]),
            "first": row["first_at"],
            "last": row["last_at"],
            "notes": row["notes"],
            "cluster": row["cluster"],
        }
        for row in ledger.iter_rows(named=True)
    ]


def print_evidence(
    ledger: pl.DataFrame, coverage: pl.DataFrame, limits: pl.DataFrame, how: str
) -> None:
    """Print what `inspect` shows: json has all three, a table the ledger and its limits."""
    if how == "json":
        rows = {"coverage": coverage.to_dicts(), "limits": limits.to_dicts()}
        print_json({"files": ledger_files(ledger), **rows})
        return
    emit(ledger, how)
    if how == "table":
        several = limits["cluster"].n_unique() > 1
        bullets("Limits of the evidence", [_limit(row, several) for row in limits.to_dicts()])


def print_json(value: Any) -> None:
    """Print one JSON document; times get their zone, what JSON cannot say becomes null."""
    sys.stdout.write(_dumps(value, indent=2) + "\n")


def plain(text: object) -> str:
    """Make text from logs safe for a terminal: control and direction characters are shown."""
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), str(text))


def line(text: object) -> str:
    """Make text from logs safe as a part of one line of a terminal, and not too long for it."""
    words = " ".join(plain(text).split())
    return words if len(words) <= LONGEST_LINE else f"{words[: LONGEST_LINE - 1]}…"


def markdown(rows: pl.DataFrame) -> str:
    """Write rows as a Markdown table."""
    cells = [[_markdown_cell(_cell(value)) for value in row] for row in rows.iter_rows()]
    lines = [[_markdown_cell(name) for name in rows.columns], ["---"] * rows.width, *cells]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _markdown_cell(text: str) -> str:
    return " ".join(plain(text).replace("|", "\\|").splitlines())


def print_answer(answer: Answer, how: str) -> None:
    """Print an answer as text or json (the machine form: without figures and tables)."""
    if how == "json":
        print_json(machine_form(answer))
        return
    write = sys.stdout.write
    write(f"{answer.question}: {answer.status}, confidence {answer.confidence}\n\n")
    write(f"{plain(answer.headline)}\n")
    for table in answer.tables:
        write(f"\n{plain(table.says)}\n")
        _table(table.rows)
    bullets("Caveats", answer.caveats)
    bullets("Missing", [f"{m.evidence}: {m.collect}" for m in answer.missing])


def machine_form(answer: Answer) -> dict[str, Any]:
    """Return the answer as plain data: the contract of `ask -o json`."""
    kept = ("question", "status", "confidence", "headline", "evidence", "caveats", "missing", "sql")
    return {name: _plain_data(getattr(answer, name)) for name in kept}


def _limit(limit: Mapping[str, Any], several: bool) -> str:
    place = f"{limit['cluster']}: " if several else ""
    return f"{limit['severity']}: {place}{limit['says']}"


def bullets(title: str, lines: Iterable[str]) -> None:
    """Print a list under a title; nothing where it is empty."""
    shown = [f"- {plain(line)}\n" for line in lines]
    if shown:
        sys.stdout.write(f"\n{title}\n{''.join(shown)}")


def _table(rows: pl.DataFrame) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column, dtype in rows.schema.items():
        table.add_column(Text(plain(column)), justify="right" if dtype.is_numeric() else "left")
    for row in rows.iter_rows():
        table.add_row(*(Text(plain(_short(_cell(value)))) for value in row))
    terminal = sys.stdout.isatty()
    console = Console(file=sys.stdout, width=None if terminal else 10_000, soft_wrap=not terminal)
    console.print(table)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    text = _scalar(value)
    return str(text) if isinstance(text, str | int | float) else _dumps(value, indent=None)


def _short(text: str) -> str:
    return text if len(text) <= WIDEST_CELL else text[: WIDEST_CELL - 1] + "…"


def _flat(rows: pl.DataFrame) -> pl.DataFrame:
    """Write nested values as JSON text, and times with their zone: CSV knows neither."""
    texts = [
        pl.Series(
            name,
            [None if value is None else _cell(value) for value in rows[name].to_list()],
            pl.String,
        )
        for name, dtype in rows.schema.items()
        if dtype.is_nested() or dtype.is_temporal() or dtype == pl.Binary
    ]
    return rows.with_columns(texts)


def _dumps(value: Any, indent: int | None) -> str:
    text = json.dumps(_plain_data(value), indent=indent, ensure_ascii=False, allow_nan=False)
    return CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _plain_data(value: Any) -> Any:
    """Turn a value into what JSON can say."""
    if isinstance(value, Mapping):
        return {str(key): _plain_data(item) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return _plain_data(asdict(value))
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_plain_data(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value) if value.tzinfo is None else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="backslashreplace")
    return value
