"""What a source is: one file format, recognised by content and read into the model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

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
    """What became of the records of one file; lines = loaded + duplicates + filtered + rejected."""

    lines: int
    loaded: int
    duplicates: int = 0
    filtered: int = 0
    rejections: Sequence[Rejection] = ()
    first_at: datetime | None = None
    last_at: datetime | None = None
    notes: str | None = None

    @property
    def rejected(self) -> dict[str, int]:
        """How many records were rejected, by reason."""
        return dict(Counter(rejection.reason for rejection in self.rejections))


@dataclass(frozen=True, slots=True)
class Numbered:
    """A file under the number that the ledger gives it."""

    ingest_id: int
    file: InputFile


@dataclass(frozen=True)
class Target:
    """Where evidence goes: a store, and the cluster that it is about.

    taken_at dates evidence that carries no time of its own (naive UTC); None: the file's own time.
    careful: a first try met damaged files; look into each one before DuckDB reads it.
    """

    store: Store
    cluster: str
    taken_at: datetime | None = None
    careful: bool = False


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
