"""Big text files in pieces of whole lines, so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import polars as pl

from kubepostmortem.sources.files import pieces
from kubepostmortem.sources.source import Rejection

PIECE_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True)
class Piece:
    """Some whole lines of a file: the text, and what stands before it in lines and bytes."""

    data: bytes
    lines_before: int
    bytes_before: int
    broken_off: str | None = None

    @property
    def cut_line(self) -> int:
        """Number of the line that has no end; 0 where all have one."""
        if not self.data or self.data.endswith(b"\n"):
            return 0
        return self.lines_before + self.data.count(b"\n") + 1

    def lines(self) -> pl.DataFrame:
        """The lines that are not blank: line (number in the file, from 1) and text."""
        text = self.data.decode("utf-8", errors="replace").split("\n")
        lines = pl.DataFrame({"text": text}).with_row_index("line", offset=self.lines_before + 1)
        stripped = lines.with_columns(pl.col("text").str.strip_chars_end("\r"))
        return stripped.filter(pl.col("text").str.contains(r"\S"))

    def rejections(self, bad: pl.DataFrame) -> Iterator[Rejection]:
        """Show the lines that are bad; their columns: line and problem, in order of line."""
        if bad.is_empty():
            return
        lines = self.data.split(b"\n")
        passed = offset = 0
        for line, problem in bad.select("line", "problem").iter_rows():
            place = line - self.lines_before - 1
            offset += sum(len(text) + 1 for text in lines[passed:place])
            passed = place
            yield Rejection(problem, lines[place], line, self.bytes_before + offset)


def line_pieces(stream: BinaryIO, size: int = PIECE_BYTES) -> Iterator[Piece]:
    """Yield a file in pieces of about this size; the last one says why it broke off."""
    lines = passed = 0
    held = bytearray()
    broken: str | None = None
    for part in pieces(stream):
        if isinstance(part, str):
            broken = part
            break
        held += part
        if len(held) >= size:
            end = held.rfind(b"\n") + 1 or len(held)  # a line longer than all this is none of a log
            yield Piece(bytes(held[:end]), lines, passed)
            lines, passed = lines + held.count(b"\n", 0, end), passed + end
            del held[:end]
    yield Piece(bytes(held), lines, passed, broken)
