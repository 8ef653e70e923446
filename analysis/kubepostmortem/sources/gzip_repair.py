"""Gzip files that were cut short or padded: a copy with what can still be unpacked."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from kubepostmortem.sources.content import CUT_GZIP
from kubepostmortem.sources.files import InputFile, pieces
from kubepostmortem.sources.source import Rejection

TRAILER = 8  # bytes; a file that ends in as many zeros is padded


@dataclass(frozen=True, slots=True)
class Mended:
    """A file to read in place of another one, and what was lost of it."""

    file: InputFile
    lost: Rejection | None = None


def mend(file: InputFile, folder: Path) -> Mended:
    """Return a copy, made in the folder, of a damaged gzip file; any other file as it is.

    The copy ends with the last whole line. Why: DuckDB refuses a damaged file altogether.
    """
    if file.compression != "gzip" or _is_whole(file):
        return Mended(file)
    copy = folder / f"{len(list(folder.iterdir()))}.gz"
    return Mended(replace(file, path=copy), _copy_lines(file, copy))


def _is_whole(file: InputFile) -> bool:
    with file.path.open("rb") as raw:
        raw.seek(-TRAILER, os.SEEK_END)
        padded = raw.read() == bytes(TRAILER)
    return not padded and all(piece is not None for piece in _pieces(file))


def _copy_lines(file: InputFile, copy: Path) -> Rejection | None:
    """Copy whole lines; return the rest where the content does not come to its end."""
    lines = offset = 0
    rest = b""
    with gzip.open(copy, "wb", compresslevel=1) as mended:
        for piece in _pieces(file):
            if piece is None:
                return Rejection(CUT_GZIP, rest, lines + 1, offset)
            whole, end, rest = (rest + piece).rpartition(b"\n")
            mended.write(whole + end)
            lines += whole.count(b"\n") + len(end)
            offset += len(whole + end)
        mended.write(rest)
    return None


def _pieces(file: InputFile) -> Iterator[bytes | None]:
    with file.open() as stream:
        yield from pieces(stream)
