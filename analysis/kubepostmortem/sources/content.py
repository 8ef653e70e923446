"""Whole content of a file, and the records that a document is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kubepostmortem.sources.documents import Contents
from kubepostmortem.sources.files import InputFile, pieces
from kubepostmortem.sources.source import Rejection

BLANK = " \t\r\n\ufeff"
CUT_LINE = "cut off: the last line has no end"
NOT_JSON = "not a JSON object"


class Unusable(ValueError):
    """A record cannot be used; the message is the reason for the ledger."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a document: its fields, and where it stands."""

    fields: Mapping[str, Any]
    text: bytes
    line: int | None = None
    byte_offset: int | None = None

    def rejected(self, reason: str) -> Rejection:
        """This record as a rejection."""
        return Rejection(reason, self.text, self.line, self.byte_offset)


def content(file: InputFile) -> tuple[bytes, str | None]:
    """Return the uncompressed content, and why it is not whole; None: it is.

    Of a packed file that was cut short, it is what can still be unpacked.
    """
    found: list[bytes] = []
    with file.open() as stream:
        for piece in pieces(stream):
            if isinstance(piece, str):
                return b"".join(found), piece
            found.append(piece)
    return b"".join(found), None


def tabulate(
    records: Iterable[Record | Rejection],
    table: str,
    row_of: Callable[[Mapping[str, Any]], dict[str, Any]],
    dated_by: str,
) -> Contents:
    """Turn each record into one row of a table; what row_of calls Unusable is rejected."""
    contents = Contents()
    for record in records:
        contents.records += 1
        row = record if isinstance(record, Rejection) else _row(record, row_of)
        if isinstance(row, Rejection):
            contents.rejections.append(row)
        else:
            contents.add(table, **row)
            contents.times.append(row[dated_by])
    return contents


def _row(
    record: Record, row_of: Callable[[Mapping[str, Any]], dict[str, Any]]
) -> dict[str, Any] | Rejection:
    try:
        return row_of(record.fields)
    except Unusable as why:
        return record.rejected(str(why))


def plain(value: Any) -> str | None:
    """Return a text, number or truth value as text; None where it is empty or of another type."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value).strip() or None
    return None


def remarks(*notes: str | None) -> str | None:
    """Join the notes that there are into one line of the ledger."""
    return "; ".join(note for note in notes if note) or None


def dig(value: Any, *path: str) -> Any:
    """Return what stands under these keys, one within the other; None where nothing does."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def listed(value: Any) -> list[Any]:
    """Return a list as it is, and anything else as an empty one."""
    return value if isinstance(value, list) else []
