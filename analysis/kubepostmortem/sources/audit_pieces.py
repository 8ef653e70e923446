"""Audit events as JSON lines on disk, in pieces of bounded size, whatever they were wrapped in.

DuckDB reads a piece several times faster than Python could, and memory stays flat however large
the file is. Each piece remembers where its lines stand in the file that the user gave.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import orjson

from kubepostmortem.sources.content import CUT_LINE
from kubepostmortem.sources.files import InputFile, pieces
from kubepostmortem.sources.source import EXCERPT_BYTES, Rejection
from kubepostmortem.sources.spool import Spool, appending

# DuckDB's threads share 128 MiB at a time. What is unpacked before it begins is one piece.
PIECE_BYTES = 256 << 20
BLOCK = 1 << 20  # stays in the processor's cache
MANY = 10_000  # rejections that are passed on before the piece they belong to is full
LONGEST = 64 << 20  # bytes of a line; DuckDB is told to read no longer ones
TOO_LONG = f"a line of more than {LONGEST >> 20} MiB"


@dataclass(frozen=True)
class Piece:
    """JSON lines on disk, and where they stand in the file given.

    line: number of the first line, or what counts it, or that of each line; None: the records are
    no lines of the file.
    offsets: byte offset of the first line; of each line, where they do not follow one another.
    apiserver: the API server instance that wrote the file, as far as the path tells.
    """

    path: Path
    line: int | Callable[[], int] | Sequence[int] | None
    offsets: int | Sequence[int]
    ingest_id: int = 0
    apiserver: str = ""

    def place(self, number: int, passed: int) -> tuple[int | None, int]:
        """Line and offset in the file given, of the line with so many lines and bytes before it."""
        offset = self.offsets + passed if isinstance(self.offsets, int) else self.offsets[number]
        line = self.line() if callable(self.line) else self.line
        if line is None or isinstance(line, int):
            return None if line is None else line + number, offset
        return line[number], offset


@dataclass
class Unwrapped:
    """Some audit events taken out of their wrapping: JSON texts, and their offsets in the file.

    filtered: records that are no audit events, counted by what they are.
    """

    events: list[bytes] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    filtered: dict[str, int] = field(default_factory=dict)
    rejections: list[Rejection] = field(default_factory=list)

    def add(self, event: bytes, offset: int) -> None:
        """Add an event, which must stand on one line."""
        self.events.append(event)
        self.offsets.append(offset)

    def gather(self, part: Unwrapped) -> None:
        """Take over what was found, but for the events themselves."""
        self.offsets += part.offsets
        self.rejections += part.rejections
        for what, count in part.filtered.items():
            self.leave_out(what, count)

    def leave_out(self, what: str, count: int = 1) -> None:
        """Count a record that is no audit event."""
        self.filtered[what] = self.filtered.get(what, 0) + count


def cut(
    file: InputFile, spool: Spool, blank: re.Pattern[bytes] | None = None
) -> Iterator[Piece | Rejection]:
    """Copy a file of lines in pieces of whole lines; yield what is left out where it stands.

    blank: what is overwritten with blanks, so that all else keeps its offset.
    """
    piece = _Growing(spool)
    for part in line_blocks(file):
        if isinstance(part, Rejection):
            yield from piece.finish()
            yield part
            continue
        data, line, offset = part
        piece.add(blank.sub(_blanks, data) if blank else data, line, offset)
        if piece.size >= PIECE_BYTES:
            yield from piece.finish()
    yield from piece.finish()


def write(found: Iterable[Unwrapped], spool: Spool) -> Iterator[Piece | Unwrapped]:
    """Write unwrapped events in pieces; yield what else was found, its events taken out."""
    piece, rest = _Growing(spool), Unwrapped()
    for part in found:
        if part.events:
            piece.add(_as_lines(part.events), 0, 0)
        rest.gather(part)
        if piece.size >= PIECE_BYTES or len(rest.rejections) >= MANY:
            yield from _finished(piece, rest)
            rest = Unwrapped()
    yield from _finished(piece, rest)


def _finished(piece: _Growing, rest: Unwrapped) -> Iterator[Piece | Unwrapped]:
    yield Unwrapped(filtered=rest.filtered, rejections=rest.rejections)
    yield from (replace(one, line=None, offsets=rest.offsets) for one in piece.finish())


def written(events: Sequence[bytes], spool: Spool) -> Path:
    """Write events to a file of their own, one per line."""
    path = spool.place()
    with appending(path) as file:
        file.write(_as_lines(events))
    return path


def flat(text: bytes) -> bytes:
    """Put a JSON text on one line; nothing is lost, since no JSON string holds a line end."""
    return text.replace(b"\r", b" ").replace(b"\n", b" ")


def _as_lines(events: Sequence[bytes]) -> bytes:
    return b"\n".join(events) + b"\n"


def line_blocks(file: InputFile) -> Iterator[tuple[bytes | memoryview, int, int] | Rejection]:
    """Yield blocks of whole lines with the number and offset of the first one; what is left out."""
    line, offset, held, too_long = 1, 0, b"", False
    with file.open() as stream:
        for part in pieces(stream, BLOCK):
            if isinstance(part, str):
                if _is_json(held):  # the file broke off just behind an event
                    yield held, line, offset
                    line, offset, held = line + 1, offset + len(held), b""
                yield Rejection(part, held, line, offset)
                return
            data = held + part if held else part
            begin, end = 0, data.rfind(b"\n") + 1
            held = data[end:]
            if too_long and end:  # the rest of a line that was rejected already
                begin = data.index(b"\n") + 1
                line, offset, too_long = line + 1, offset + begin, False
            if begin < end:
                yield memoryview(data)[begin:end], line, offset
                line, offset = line + data.count(b"\n", begin, end), offset + end - begin
            if len(held) > LONGEST or too_long:
                if not too_long:
                    yield Rejection(TOO_LONG, held[:EXCERPT_BYTES], line, offset)
                too_long, offset, held = True, offset + len(held), b""
    if len(held) == 1:  # DuckDB sees nothing in a file of one byte
        yield Rejection(CUT_LINE, held, line, offset)
    elif held:
        yield held, line, offset


def pattern(path: Path) -> str:
    """Return the pattern that fits only this path, since DuckDB takes every path for a pattern."""
    return re.sub(r"[*?\[]", r"[\g<0>]", str(path))


def _is_json(text: bytes) -> bool:
    try:
        orjson.loads(text)
    except ValueError:
        return False
    return True


def _blanks(found: re.Match[bytes]) -> bytes:
    return b" " * len(found[0])


class _Growing:
    """A piece that lines are added to; how it began is remembered."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._piece: Piece | None = None
        self.size = 0

    def add(self, data: bytes | memoryview, line: int, offset: int) -> None:
        if self._piece is None:
            self._piece = Piece(self._spool.place(), line, offset)
        with appending(self._piece.path) as file:
            file.write(data)
        self.size += len(data)

    def finish(self) -> Iterator[Piece]:
        if self._piece is not None:
            yield self._piece
        self._piece, self.size = None, 0
