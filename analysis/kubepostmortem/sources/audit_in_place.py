"""Files of lines as they lie on disk: read in place, or copied in pieces where they are large."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import BinaryIO

from kubepostmortem.sources import audit_pieces
from kubepostmortem.sources.audit_pieces import BLOCK, Piece
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.spool import Spool

AT_ONCE = 4  # pieces' size of a file that DuckDB reads in one go


def in_place(file: InputFile, spool: Spool) -> Iterator[Piece]:
    """Give a file of lines that is not packed, as one piece or in several; no line is looked at."""
    small = file.size <= AT_ONCE * audit_pieces.PIECE_BYTES
    return iter([Piece(file.stored, 1, 0)]) if small else _copied(file, spool)


def _copied(file: InputFile, spool: Spool) -> Iterator[Piece]:
    least = audit_pieces.PIECE_BYTES
    begin = 0
    with file.stored.open("rb") as lines:
        while begin < file.size:
            end = _line_end(lines, begin + least)
            if file.size - end < least // 2:
                end = file.size
            path = spool.keep_part(file.stored, begin, end)
            yield Piece(path, cache(partial(_line_at, file.stored, begin)), begin)
            begin = end


def _line_end(lines: BinaryIO, offset: int) -> int:
    """Return where the line ends that holds this byte, or the file."""
    lines.seek(offset - 1)
    while block := lines.read(BLOCK):
        if (end := block.find(b"\n")) >= 0:
            return lines.tell() - len(block) + end + 1
    return lines.tell()


def _line_at(path: Path, offset: int) -> int:
    """Return the number of the line that begins there; only who must show a line asks for it."""
    with path.open("rb") as file:
        blocks = iter(lambda: file.read(min(BLOCK, offset - file.tell())), b"")
        return 1 + sum(block.count(b"\n") for block in blocks)
