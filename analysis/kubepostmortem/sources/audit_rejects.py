"""Lines that DuckDB could not use as audit events: found, shown, and searched for what is sound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kubepostmortem.model import statement
from kubepostmortem.sources.audit_pieces import Piece
from kubepostmortem.sources.audit_salvage import salvaged
from kubepostmortem.sources.content import CUT_LINE, NOT_JSON
from kubepostmortem.sources.source import Rejection
from kubepostmortem.store import Store


@dataclass(frozen=True)
class Bad:
    """A line that is no usable event: its place, the events within, what is left to reject."""

    piece: Piece
    line: int | None
    offset: int
    events: Sequence[bytes]
    rejections: Sequence[Rejection]


def bad_lines(pieces: Sequence[Piece], store: Store, since: int = 0) -> Iterator[Bad]:
    """Look up the unusable lines among audit_events, which were read from these pieces.

    since: number of the first piece to look at. A second and slower pass over damaged pieces.
    """
    reasons: dict[int, dict[int, str]] = {}
    found = store.frame(statement("ingest/audit_unusable"), since=since)
    for piece, ordinal, reason in found.iter_rows():
        reasons.setdefault(piece, {})[ordinal] = reason
    for number, wanted in reasons.items():
        yield from _lines_of(pieces[number], wanted)


def _lines_of(piece: Piece, reasons: dict[int, str]) -> Iterator[Bad]:
    """Yield the lines with a reason, by their number among the lines that are not blank."""
    ordinal = passed = 0
    with piece.path.open("rb") as lines:
        for number, line in enumerate(lines):
            if line.strip():
                ordinal += 1
                if reason := reasons.get(ordinal):
                    yield _bad(piece, line, reason, *piece.place(number, passed))
            passed += len(line)


def _bad(piece: Piece, text: bytes, reason: str, line: int | None, offset: int) -> Bad:
    events, rest = salvaged(text) if reason == NOT_JSON else ([], text)
    if reason == NOT_JSON and line is not None and not text.endswith(b"\n"):
        reason = CUT_LINE
    left = [Rejection(reason, rest, line, offset)] if rest else []
    return Bad(piece, line, offset, events, left)
