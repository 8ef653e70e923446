"""Tables of measurements in CSV or Parquet, read as columns."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
import pyarrow as pa

from kubepostmortem.sources.content import BLANK, CUT_LINE, content
from kubepostmortem.sources.csv_content import TOO_MANY
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.source import Rejection

PARQUET = b"PAR1"
# Excel takes the separator from a first line like `sep=,`.
PREAMBLE = re.compile(r'\A"?sep=(?P<comma>.)"?\r?\n')
NOT_CSV = "not CSV: a quote stands in the wrong place or has no end"
NOT_PARQUET = "damaged Parquet file"


@dataclass(frozen=True)
class Table:
    """A table: titles of the columns as written, and their values.

    rows: the columns under their position ("0", "1", ...), of CSV as texts, and `line`: of CSV
    that of the file (rows without line breaks taken for granted), else the number of the row.
    """

    titles: Sequence[str]
    rows: pl.DataFrame
    rejections: Sequence[Rejection] = ()


def head_rows(text: str) -> list[list[str]]:
    """Return the cells of the header line and of the line below, as far as there are any."""
    lines = text[_opening(text) :].splitlines()[:2]
    if not lines or lines[0].lstrip()[:1] in ("", *"{[<#"):
        return []
    strict = len(lines) > 1  # a header line that is longer than the head ends anywhere
    return [row for line in lines if (row := _cells(line, _comma(lines[0]), strict))]


def csv_table(file: InputFile) -> Table:
    """Read a CSV file with a header line. Rows that have too many fields are rejected."""
    data, lost = content(file)
    data = data.removeprefix(b"\xef\xbb\xbf")
    before, header = _header(data)
    titles = _cells(header, _comma(header))
    data, cut = _without_cut_line(data, lost, _comma(header), len(titles))
    rows, damaged = _rows(data, _comma(header), len(titles), before)
    extra = pl.col(str(len(titles))).is_not_null()
    many = [Rejection(TOO_MANY, excerpt(row), row[0]) for row in rows.filter(extra).iter_rows()]
    usable = rows.filter(~extra).drop(str(len(titles)))
    return Table([title.strip() for title in titles], usable, [*many, *damaged, *cut])


def excerpt(row: Sequence[object]) -> bytes:
    """A row, whose first value is its line, as bytes of a rejection."""
    return ",".join("" if value is None else str(value) for value in row[1:]).encode()


def _header(data: bytes) -> tuple[int, str]:
    """How many lines stand before the rows, and the header line: it may be longer than the head."""
    stream = io.BytesIO(data)
    first = stream.readline().decode("utf-8", errors="replace")
    if not PREAMBLE.match(first):
        return 1, first.rstrip("\r\n")
    return 2, stream.readline().decode("utf-8", errors="replace").rstrip("\r\n")


def _opening(text: str) -> int:
    preamble = PREAMBLE.match(text)
    return preamble.end() if preamble else 0


def _comma(header: str) -> str:
    unquoted = re.sub(r'"[^"]*"', "", header)
    return max(",;\t", key=unquoted.count)


def _cells(line: str, comma: str, strict: bool = True) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=comma, strict=strict), [])
    except csv.Error:
        return []


def _without_cut_line(
    data: bytes, lost: str | None, comma: str, width: int
) -> tuple[bytes, list[Rejection]]:
    """Take off a last line that was cut: it lacks fields, or the compressed file ends in it."""
    end = data.rfind(b"\n") + 1
    tail = data[end:]
    fields = len(_cells(tail.decode("utf-8", errors="replace"), comma))
    if not lost and (not tail.strip() or fields >= width):
        return data, []
    return data[:end], [Rejection(lost or CUT_LINE, tail, data.count(b"\n") + 1, end)]


def _rows(data: bytes, comma: str, width: int, skip: int) -> tuple[pl.DataFrame, list[Rejection]]:
    """All rows below the header as texts, with one column more for what is too much."""
    schema = {str(n): pl.String for n in range(width + 1)}
    try:
        rows = pl.read_csv(
            io.BytesIO(data),
            has_header=False,
            separator=comma,
            schema=schema,
            encoding="utf8-lossy",
            missing_columns="insert",
            truncate_ragged_lines=True,
            skip_lines=skip,
            row_index_name="line",
            row_index_offset=skip + 1,
        )
    except pl.exceptions.NoDataError:
        return pl.DataFrame(schema={"line": pl.Int64, **schema}), []
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return pl.DataFrame(schema={"line": pl.Int64, **schema}), [Rejection(NOT_CSV, data, 1, 0)]
    filled = rows.with_columns(pl.exclude("line").str.strip_chars(BLANK).replace("", None))
    return filled.filter(~pl.all_horizontal(pl.exclude("line").is_null())), []


def parquet_table(file: InputFile) -> Table:
    """Read a Parquet file."""
    data, _ = content(file)
    try:
        # Arrow refuses a damaged file; Polars itself would panic, and print where.
        found = pl.read_parquet(io.BytesIO(data), use_pyarrow=True)
    except (pa.ArrowException, pl.exceptions.PolarsError, OSError) as wrong:
        told = str(wrong).partition("\n")[0]
        return Table([], pl.DataFrame(), [Rejection(f"{NOT_PARQUET}: {told}", data[:16])])
    positions = {title: str(n) for n, title in enumerate(found.columns)}
    return Table(found.columns, found.rename(positions).with_row_index("line", offset=1))
