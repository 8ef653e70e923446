"""Records of a CSV file with a header line."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence

from kubepostmortem.sources.content import BLANK, CUT_LINE, Record, content
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.source import Rejection

TOO_MANY = "more fields than the header names"


def columns(text: str) -> list[str]:
    """Return the names of a header line, in lower case; [] where the text begins otherwise."""
    header = _first_line(text)
    if not header or header[0] in "{[<#":
        return []
    try:
        return _names(next(csv.reader([header], delimiter=_comma(header))))
    except csv.Error:
        return []


def records(file: InputFile) -> Iterator[Record | Rejection]:
    """Yield what stands under the header line, its fields by column name in lower case."""
    data, lost = content(file)
    lines = data.splitlines(keepends=True)
    cut = lines.pop() if lines and lost and not lines[-1].endswith(b"\n") else b""
    names: list[str] = []
    for values, record in _rows(lines, _comma(_first_line(file.text))):
        if isinstance(record, Rejection):
            yield record
        elif not names:
            names = _names(values)
        else:
            yield _named(values, record, names)
    if lost:
        yield Rejection(lost, cut, len(lines) + 1, len(data) - len(cut))


def _rows(
    lines: Sequence[bytes], comma: str
) -> Iterator[tuple[list[str], Record] | tuple[list[str], Rejection]]:
    """Yield the values of each row with its place; where CSV ends, the rest is one rejection."""
    texts = (line.decode("utf-8", errors="replace").lstrip("\ufeff") for line in lines)
    reader = csv.reader(texts, delimiter=comma, strict=True)
    read = offset = 0
    while read < len(lines):
        try:
            values = next(reader)
        except csv.Error as wrong:
            rest = b"".join(lines[read:])
            yield [], Rejection(f"not CSV: {wrong}", rest, read + 1, offset)
            return
        text = b"".join(lines[read : reader.line_num])
        if text.decode("utf-8", errors="replace").strip(BLANK):
            yield values, Record({}, text, read + 1, offset)
        read, offset = reader.line_num, offset + len(text)


def _named(values: Sequence[str], record: Record, names: Sequence[str]) -> Record | Rejection:
    if any(value.strip() for value in values[len(names) :]):
        return record.rejected(TOO_MANY)
    if len(values) < len(names) and not record.text.endswith((b"\n", b"\r")):
        return record.rejected(CUT_LINE)
    fields = {name: value.strip() for name, value in zip(names, values, strict=False)}
    return Record(fields, record.text, record.line, record.byte_offset)


def _names(header: Sequence[str]) -> list[str]:
    return [name.strip().lower() for name in header]


def _first_line(text: str) -> str:
    return re.split(r"[\r\n]", text.lstrip(BLANK), maxsplit=1)[0].rstrip(BLANK)


def _comma(header: str) -> str:
    return max(",;\t", key=header.count)
