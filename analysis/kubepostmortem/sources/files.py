"""Input files: opened whatever their compression, and known by their first bytes."""

from __future__ import annotations

import builtins
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from kubepostmortem.sources.packing import DAMAGED, packing_of, pieces, unpacked

__all__ = ["DAMAGED", "InputFile", "pieces"]

HEAD_BYTES = 65_536
HEAD_PIECE = 8192
DEEPEST = 4  # packings around one another
NO_LIMIT = 1 << 62


@dataclass(frozen=True)
class InputFile:
    """A file as given, with the first 64 KiB of its (unpacked) content.

    path names it: of a file in an archive, the archive's path and its own; of a remote one, its
    URL without the double slash, which is why `label` is what people read.
    stored: where its bytes lie; packings: compressions around its content, outermost first;
    most: bytes that it may unpack to; refused: why it cannot be read at all, if so;
    known: the format as which it was read before, so that it is not fetched again.
    """

    path: Path
    size: int
    modified_ns: int
    packings: tuple[str, ...]
    head: builtins.bytes
    stored: Path
    label: str
    most: int = NO_LIMIT
    refused: str | None = None
    known: str | None = None

    @classmethod
    def look(
        cls,
        path: Path,
        *,
        label: str | None = None,
        stored: Path | None = None,
        modified_ns: int | None = None,
        most: int = NO_LIMIT,
    ) -> InputFile:
        """Read the first bytes of a file. Raises OSError where it cannot be read."""
        lies_at = stored or path
        status = lies_at.stat()
        packings, head = _unwrap(lies_at, most)
        changed = status.st_mtime_ns if modified_ns is None else modified_ns
        return cls(path, status.st_size, changed, packings, head, lies_at, label or str(path), most)

    @classmethod
    def refuse(cls, path: Path, label: str, reason: str) -> InputFile:
        """A file that cannot be read: the ledger still has a place for it."""
        return cls(path, 0, 0, (), b"", path, label, refused=reason)

    @classmethod
    def read_before(cls, label: str, format_: str) -> InputFile:
        """What is not fetched again, since it was read before as this format."""
        return replace(cls.refuse(Path(label), label, "read before"), known=format_)

    def open(self) -> BinaryIO:
        """Open the unpacked content."""
        return unpacked(self.stored, self.packings, self.most)

    @property
    def packed(self) -> bool:
        """Whether the content is compressed."""
        return bool(self.packings)

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


def _unwrap(path: Path, most: int) -> tuple[tuple[str, ...], bytes]:
    """Name the packings around a content, outermost first, and return how the content begins."""
    packings: tuple[str, ...] = ()
    head = _head(path, packings, most)
    while (packing := packing_of(head)) and len(packings) < DEEPEST:
        packings = (*packings, packing)
        head = _head(path, packings, most)
    return packings, head


def _head(path: Path, packings: tuple[str, ...], most: int) -> bytes:
    """Read the head in small pieces, so that a file cut in its first bytes still shows some."""
    head = b""
    with unpacked(path, packings, most) as stream:
        for piece in pieces(stream, HEAD_PIECE):
            if isinstance(piece, str):
                break
            head += piece
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
