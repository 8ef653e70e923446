"""What a source is: one file format, recognised by content and read into the model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import polars as pl

from kubepostmortem.redaction import Redaction
from kubepostmortem.sources.files import InputFile
from kubepostmortem.store import Store

EXCERPT_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record that could not be used; line from 1, offset in bytes of the uncompressed text."""

    reason: str
    excerpt: bytes
    line: int | None = None
    byte_offset: int | None = None

    def row(self, ingest_id: int) -> dict[str, Any]:
        """The rejection as a row of rejected_lines."""
        return {
            "ingest_id": ingest_id,
            "line": self.line,
            "byte_offset": self.byte_offset,
            "reason": self.reason,
            "excerpt": self.excerpt[:EXCERPT_BYTES].decode("utf-8", errors="backslashreplace"),
        }


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of the records of one file; lines = loaded + duplicates + filtered + rejected.

    rejections are still to be kept; of `kept`, a number by reason, rejected_lines has rows already
    (a file can hold more of them than memory does).
    """

    lines: int
    loaded: int
    duplicates: int = 0
    filtered: int = 0
    rejections: Sequence[Rejection] = ()
    kept: Mapping[str, int] = field(default_factory=dict)
    first_at: datetime | None = None
    last_at: datetime | None = None
    notes: str | None = None

    @property
    def rejected(self) -> dict[str, int]:
        """How many records were rejected, by reason."""
        return dict(Counter(r.reason for r in self.rejections) + Counter(self.kept))


@dataclass(frozen=True, slots=True)
class Numbered:
    """A file under the number that the ledger gives it."""

    ingest_id: int
    file: InputFile


@dataclass(frozen=True)
class Target:
    """Where evidence goes: a store, and the cluster that it is about.

    taken_at dates evidence that carries no time of its own (naive UTC); None: the file's own time.
    assume_tz: zone (IANA name) of times that show none; None: such times are rejected.
    redaction: what replaces names in a redacted database.
    careful: a first try met damaged files; look into each one before DuckDB reads it.
    heard: is told how many bytes of (unpacked) content were read, while a big file is.
    """

    store: Store
    cluster: str
    taken_at: datetime | None = None
    assume_tz: str | None = None
    careful: bool = False
    redaction: Redaction | None = None
    heard: Callable[[int], None] = lambda _: None

    def redacted(self, table: str, rows: pl.DataFrame) -> pl.DataFrame:
        """Return rows of a table as they may be stored: in a redacted database, pseudonyms."""
        return self.redaction.frame(table, rows) if self.redaction else rows


class Source(Protocol):
    """One file format."""

    @property
    def name(self) -> str:
        """Name of the format, as `inspect` prints it."""

    @property
    def describes(self) -> str:
        """What the format is and which command writes it, in one sentence."""

    def recognises(self, file: InputFile) -> bool:
        """Tell from the head whether the file has this format."""

    def load(self, batch: Sequence[Numbered], target: Target) -> list[Reading]:
        """Read files of this format into the store, inside a transaction of the caller."""
