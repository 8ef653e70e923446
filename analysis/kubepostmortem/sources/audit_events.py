"""Loading of audit events, whatever they came in: folded into requests, every record counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from kubepostmortem.model import statement
from kubepostmortem.sources.audit_merge import Tally, merge
from kubepostmortem.sources.audit_pieces import PIECE_BYTES, Piece, Unwrapped, pattern, written
from kubepostmortem.sources.audit_rejects import Bad, bad_lines
from kubepostmortem.sources.content import remarks
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.ledger import keep_rejections
from kubepostmortem.sources.source import Numbered, Reading, Rejection, Target
from kubepostmortem.sources.spool import Spool, spool
from kubepostmortem.store import Store

JSON_EVENTS = "ingest/audit_events"

Part = Piece | Rejection | Unwrapped
Cut = Callable[[InputFile, Spool], Iterable[Part]]


@dataclass
class Count:
    """What became of the records of one file, so far."""

    lines: int = 0
    loaded: int = 0
    duplicates: int = 0
    filtered: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    times: list[datetime] = field(default_factory=list)

    def add(self, tally: Tally) -> None:
        """Count the events of a piece."""
        self.lines += tally.usable
        self.loaded += tally.usable - tally.duplicates
        self.duplicates += tally.duplicates
        self.times += [at for at in (tally.first_at, tally.last_at) if at is not None]

    def leave_out(self, filtered: Mapping[str, int]) -> None:
        """Count records that are no audit events."""
        self.lines += sum(filtered.values())
        self.filtered.update(filtered)

    def reject(self, found: Sequence[Rejection], ingest_id: int, target: Target) -> None:
        """Count rejected records, and keep them."""
        keep_rejections(found, ingest_id, target)
        self.lines += len(found)
        self.rejected.update(rejection.reason for rejection in found)

    def reading(self, note: str | None) -> Reading:
        """Return the count as the ledger wants it."""
        left_out = ", ".join(f"{n:,} {what}" for what, n in sorted(self.filtered.items()))
        return Reading(
            lines=self.lines,
            loaded=self.loaded,
            duplicates=self.duplicates,
            filtered=self.filtered.total(),
            kept=self.rejected,
            first_at=min(self.times, default=None),
            last_at=max(self.times, default=None),
            notes=remarks(note, f"left out: {left_out}" if left_out else None),
        )


def load_events(
    batch: Sequence[Numbered],
    target: Target,
    cut: Cut,
    *,
    read: str = JSON_EVENTS,
    apiserver: Callable[[InputFile], str] = lambda file: "",
    note: str | None = None,
) -> list[Reading]:
    """Load the events of files: `cut` gives their pieces, the statement `read` reads those.

    apiserver names the API server instance that wrote a file, where the events do not.
    """
    counts = {numbered.ingest_id: Count() for numbered in batch}
    with spool() as folder:
        placed = _placed(batch, cut, folder, apiserver, counts, target)
        for group in _groups(placed):
            _load_group(group, target, read, counts, folder)
    return [counts[numbered.ingest_id].reading(note) for numbered in batch]


def _placed(
    batch: Sequence[Numbered],
    cut: Cut,
    folder: Spool,
    apiserver: Callable[[InputFile], str],
    counts: Mapping[int, Count],
    target: Target,
) -> Iterator[Piece]:
    """Yield the pieces of all files; count what else there is."""
    for numbered in batch:
        ingest_id, known = numbered.ingest_id, counts[numbered.ingest_id]
        server = apiserver(numbered.file)
        for part in cut(numbered.file, folder):
            if isinstance(part, Piece):
                yield replace(part, ingest_id=ingest_id, apiserver=server)
            elif isinstance(part, Rejection):
                known.reject([part], ingest_id, target)
            else:
                known.leave_out(part.filtered)
                known.reject(part.rejections, ingest_id, target)


def _groups(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Group neighbours, so that one statement reads many small pieces."""
    group: list[Piece] = []
    size = 0
    for piece in pieces:
        group.append(piece)
        size += piece.path.stat().st_size
        if size >= PIECE_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _load_group(
    group: Sequence[Piece],
    target: Target,
    read: str,
    counts: Mapping[int, Count],
    folder: Spool,
) -> None:
    store = target.store
    _read(group, store, read)
    bad = list(bad_lines(group, store))
    mended = list(_mended(bad, folder))
    if mended:
        pieces = [*group, *mended]
        _read(pieces, store, read)
        bad += bad_lines(pieces, store, since=len(group))
    for tally in merge(target):
        counts[tally.ingest_id].add(tally)
    for piece, damaged in groupby(bad, key=attrgetter("piece")):
        left = [rejection for one in damaged for rejection in one.rejections]
        counts[piece.ingest_id].reject(left, piece.ingest_id, target)
    target.heard(sum(piece.path.stat().st_size for piece in group))
    for piece in (*group, *mended):
        folder.release(piece.path)


def _read(pieces: Sequence[Piece], store: Store, read: str) -> None:
    """Read pieces into audit_events in order, so that a row's number tells its line."""
    store.run("set preserve_insertion_order = true")
    store.run(
        statement(read),
        paths=[pattern(piece.path) for piece in pieces],
        files=[str(piece.path) for piece in pieces],
        ingest_ids=[piece.ingest_id for piece in pieces],
        apiservers=[piece.apiserver for piece in pieces],
    )
    store.run("set preserve_insertion_order = false")


def _mended(bad: Sequence[Bad], folder: Spool) -> Iterator[Piece]:
    """Write the events that damaged lines hold, one piece for each piece that they come from."""
    for piece, damaged in groupby(bad, key=attrgetter("piece")):
        found = [(event, one.line, one.offset) for one in damaged for event in one.events]
        if found:
            events, lines, offsets = zip(*found, strict=True)
            numbered = None if piece.line is None else lines
            yield replace(piece, path=written(events, folder), line=numbered, offsets=offsets)
