"""Input files: found, opened whatever their compression, and known by their first bytes."""

from __future__ import annotations

import builtins
import gzip
import json
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from kubepostmortem.errors import NoUsableInput

HEAD_BYTES = 65_536
HEAD_PIECE = 8192
PIECE = 1 << 20
DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile)  # what reading a damaged gzip file raises
GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True)
class InputFile:
    """A file as given, with the first 64 KiB of its (uncompressed) content."""

    path: Path
    size: int
    modified_ns: int
    compression: str
    head: builtins.bytes

    @classmethod
    def look(cls, path: Path) -> InputFile:
        """Read the first bytes of a file. Raises OSError where it cannot be read."""
        with path.open("rb") as raw:
            compression = "gzip" if raw.read(2) == GZIP_MAGIC else "none"
            status = os.fstat(raw.fileno())
        head = _head(path, compression)
        return cls(path, status.st_size, status.st_mtime_ns, compression, head)

    def open(self) -> BinaryIO:
        """Open the uncompressed content."""
        return _open(self.path, self.compression)

    @cached_property
    def text(self) -> str:
        """The head as text, without byte order mark; foreign bytes replaced."""
        return self.head.decode("utf-8", errors="replace").lstrip("\ufeff")

    @cached_property
    def records(self) -> tuple[dict[str, Any], ...]:
        """JSON objects that stand alone on a line of the head."""
        return tuple(_objects(self.text.splitlines()))

    @cached_property
    def document_keys(self) -> frozenset[str]:
        """Top-level keys of a head that begins one JSON object, as far as they are seen."""
        return (
            frozenset(_top_level_keys(self.text)) if self.text.lstrip()[:1] == "{" else frozenset()
        )


def discover(paths: Iterable[Path]) -> list[Path]:
    """List the files under these paths, sorted; a folder is walked, links to folders are not.

    Raises NoUsableInput where a path does not exist, or is a pipe: files are read more than once.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if not path.exists():
            raise NoUsableInput(f"no such file or folder: {path}")
        if not path.is_file() and not path.is_dir():
            raise NoUsableInput(f"neither a file nor a folder: {path}; save a pipe to a file first")
        found.update(dict.fromkeys(_files_under(path) if path.is_dir() else [path]))
    return list(found)


def _files_under(folder: Path) -> list[Path]:
    return sorted(
        path
        for parent, folders, names in os.walk(folder, followlinks=False)
        for name in names
        if not name.startswith(".") and (path := Path(parent) / name).is_file()
    )


def _open(path: Path, compression: str) -> BinaryIO:
    return gzip.open(path, "rb") if compression == "gzip" else path.open("rb")  # type: ignore[return-value]


def pieces(stream: BinaryIO, size: int = PIECE) -> Iterator[bytes | None]:
    """Yield content in pieces, and None where a damaged compressed file breaks off."""
    while True:
        try:
            piece = stream.read1(size)  # type: ignore[attr-defined]
        except DAMAGED:
            yield None
            return
        if not piece:
            return
        yield piece


def _head(path: Path, compression: str) -> bytes:
    """Read the head in small pieces, so that a file cut in its first bytes still shows some."""
    head = b""
    with _open(path, compression) as stream:
        for piece in pieces(stream, HEAD_PIECE):
            head += piece or b""
            if len(head) >= HEAD_BYTES:
                break
    return head[:HEAD_BYTES]


def _objects(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        if line.lstrip()[:1] != "{":
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            yield record


def _top_level_keys(text: str) -> Iterator[str]:
    """Yield the keys of the outermost object, skipping what is nested, until the text ends."""
    depth, position = 0, 0
    scan = json.decoder.scanstring  # type: ignore[attr-defined]
    while position < len(text):
        letter = text[position]
        position += 1
        if letter in "{[":
            depth += 1
        elif letter in "}]":
            depth -= 1
        elif letter == '"':
            try:
                value, position = scan(text, position, False)
            except ValueError:
                return
            if depth == 1 and text[position:].lstrip()[:1] == ":":
                yield value
