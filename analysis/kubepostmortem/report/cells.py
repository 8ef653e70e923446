"""Rows as people read them: headings with units, numbers with thin thousands, times in UTC."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import polars as pl
from markupsafe import Markup, escape

from kubepostmortem.questions import words

THIN = "\u202f"  # narrow no-break space
WORDY = 44  # characters: a cell of more wants a wide column
LONG = re.compile(r"\S{17,}")  # words that need a place to break in a narrow column
SEPARATOR = re.compile(r"(?<=[:/@._,;=-])(?=[^\s<])")
RUN = re.compile(r"[^\W_]{24}(?=[^\W_])")
MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2}) UTC")
NOTHING = "\u2013"  # en dash
MINUS = "\u2212"
TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z")
SHARE = re.compile(r"(^|_)share(_|$)|_percent$")
# Suffix of a column: how its name ends for people, and its unit.
UNITS = {
    "_per_s": ("", "per s"),
    "_rps": (" requests", "per s"),
    "_demand": (" demand", "s per s"),
    "_ms": ("", "ms"),
    "_s": ("", "s"),
    "_at": ("", "UTC"),
}
TIMES = ("onset", "at")
# Words of verdicts and kinds that a reader looks for: each is drawn as a tag of its own colour.
TAGS = {
    "primary": "strong",
    "cause": "strong",
    "induced": "soft",
    "possible": "soft",
    "innocent": "calm",
}


@dataclass(frozen=True)
class Cell:
    """Text of one cell; look is number, time, text, long or tag-...; full is what it shortens."""

    text: str
    look: str = "text"
    full: str = ""


@dataclass(frozen=True)
class Heading:
    """Heading of a column and its unit."""

    text: str
    unit: str = ""
    look: str = "text"


@dataclass(frozen=True)
class Grid:
    """A table for people."""

    says: str
    headings: Sequence[Heading]
    rows: Sequence[Sequence[Cell]]


def grid(says: str, rows: pl.DataFrame) -> Grid:
    """Format a frame; columns that hold nothing are left out."""
    columns = [name for name in rows.columns if rows[name].null_count() < rows.height]
    body = [[cell(name, row[name]) for name in columns] for row in rows.iter_rows(named=True)]
    headings = [
        replace(heading(name), look=_look([line[place] for line in body]))
        for place, name in enumerate(columns)
    ]
    return Grid(says, headings, body)


def heading(column: str) -> Heading:
    """Write a column name as words, with its unit."""
    if column in TIMES:
        return Heading(column, "UTC")
    for suffix, (ending, unit) in UNITS.items():
        if column.endswith(suffix) and not SHARE.search(column):
            name = column.removesuffix(suffix).replace("_", " ") + ending
            return Heading(name.strip(), unit)
    return Heading(column.replace("_", " "))


def cell(column: str, value: Any) -> Cell:
    """Write one value as its type and its column's name want it."""
    if value is None or value in ("", [], {}):
        return Cell(NOTHING)
    if isinstance(value, bool):
        return Cell("yes" if value else "no")
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, datetime):
        return Cell(f"{value:%Y-%m-%d %H:%M:%S}", "time", full=f"{value.isoformat(' ')} UTC")
    if SHARE.search(column) and not isinstance(value, (list, dict)):
        return Cell(percent(float(value)), "number")
    return _other(value)


def short_name(question: str) -> str:
    """Name a question for contents and lists: who-grew is Who grew."""
    return question.replace("-", " ").capitalize()


def percent(share: float) -> str:
    """Write a share as a percentage; what would round to nothing is said to be small."""
    if 0 < abs(share) < 0.0005:
        return f"<{THIN}0.1%" if share > 0 else f">{THIN}{MINUS}0.1%"
    return words.percent(share)


def number(amount: float) -> str:
    """Write three digits that matter, whole numbers in full; thousands are thinly apart."""
    if isinstance(amount, int) or amount == int(amount):
        return f"{int(amount):,}".replace(",", THIN)
    if 0 < abs(amount) < 0.001:
        return f"<{THIN}0.001" if amount > 0 else f">{THIN}{MINUS}0.001"
    return words.number(amount).replace(",", THIN).replace("-", MINUS)


def breakable(text: str) -> Markup:
    """Escape text and let its long words break where a reader would, in a narrow column."""
    return Markup(LONG.sub(lambda word: _broken(word[0]), str(escape(text))))


def dated(text: str) -> Markup:
    """Escape text and mark the times in it, so that none is broken at the end of a line."""
    marked = r'<time datetime="\1T\2Z">\g<0></time>'
    return Markup(MOMENT.sub(marked, str(escape(text))))


def _broken(word: str) -> str:
    return SEPARATOR.sub("<wbr>", RUN.sub(r"\g<0><wbr>", word))


def _look(cells: Sequence[Cell]) -> str:
    looks = {cell.look for cell in cells if cell.text != NOTHING}
    return "number" if looks == {"number"} else "text"


def _text(value: str) -> Cell:
    if TIME.fullmatch(value):
        moment = datetime.fromisoformat(value).replace(tzinfo=None)
        return cell("", moment)
    look = f"tag-{TAGS[value]}" if value in TAGS else "long" if len(value) > WORDY else "text"
    return Cell(value, look)


def _other(value: Any) -> Cell:
    for kind, write in _WRITERS.items():
        if isinstance(value, kind):
            return write(value)
    try:
        return Cell(number(float(value)), "number")
    except (TypeError, ValueError, OverflowError):
        return Cell(str(value))


def _listed(values: Sequence[Any]) -> Cell:
    """Write lists, and maps, which arrive as lists of keys and values."""
    if all(isinstance(value, dict) and set(value) == {"key", "value"} for value in values):
        return _mapped({value["key"]: value["value"] for value in values})
    return Cell(", ".join(cell("", value).text for value in values))


def _mapped(values: Mapping[str, Any]) -> Cell:
    return Cell(", ".join(f"{key}: {cell('', value).text}" for key, value in values.items()))


_WRITERS: Mapping[type, Callable[[Any], Cell]] = {
    list: _listed,
    dict: _mapped,
    timedelta: lambda value: Cell(words.span(value.total_seconds()), "number"),
}
