"""Audit events on their way into requests: read in pieces, mended, folded when they are many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from operator import attrgetter

from kubepostmortem.model import statement
from kubepostmortem.sources.audit_count import Count
from kubepostmortem.sources.audit_merge import hold_none, merge
from kubepostmortem.sources.audit_pieces import Piece, pattern, written
from kubepostmortem.sources.audit_rejects import Bad, bad_lines
from kubepostmortem.sources.source import Target
from kubepostmortem.sources.spool import Spool

FOLD_BYTES = 1 << 30  # folded at once; less fills DuckDB's row groups worse, more needs more memory


class Staging:
    """Reads pieces into audit_events with the statement `read`; folds when they are many."""

    def __init__(
        self, target: Target, read: str, folder: Spool, counts: Mapping[int, Count]
    ) -> None:
        self._target, self._read_as, self._folder, self._counts = target, read, folder, counts
        self._pieces: list[Piece] = []  # that audit_events was read from
        self._size = 0
        hold_none(target.store)

    def add(self, pieces: Sequence[Piece]) -> None:
        """Read pieces, reject what is no event in them, and let go of them."""
        if self._size >= FOLD_BYTES:
            self._fold(more=True)
        size = sum(piece.path.stat().st_size for piece in pieces)
        bad = self._read(pieces)
        mended = list(_mended(bad, self._folder))
        if mended:
            bad += self._read(mended)
        self._reject(bad)
        self._size += size
        self._target.heard(size)
        for piece in (*pieces, *mended):
            self._folder.release(piece.path)

    def finish(self) -> None:
        """Fold what is left."""
        if self._pieces:
            self._fold(more=False)

    def _read(self, pieces: Sequence[Piece]) -> list[Bad]:
        """Append pieces to audit_events in order, so that a row's number tells its line."""
        store, before = self._target.store, len(self._pieces)
        self._pieces += pieces
        first = "create or replace temp table audit_events as"
        store.run("set preserve_insertion_order = true")
        store.run(
            f"{'insert into audit_events' if before else first}\n{statement(self._read_as)}",
            paths=[pattern(piece.path) for piece in pieces],
            files=[str(piece.path) for piece in self._pieces],
            ingest_ids=[piece.ingest_id for piece in self._pieces],
            apiservers=[piece.apiserver for piece in self._pieces],
        )
        store.run("set preserve_insertion_order = false")
        return list(bad_lines(self._pieces, store, since=before))

    def _reject(self, bad: Sequence[Bad]) -> None:
        for piece, damaged in groupby(bad, key=attrgetter("piece")):
            left = [rejection for one in damaged for rejection in one.rejections]
            self._counts[piece.ingest_id].reject(left, piece.ingest_id, self._target)

    def _fold(self, *, more: bool) -> None:
        for tally in merge(self._target, more=more):
            self._counts[tally.ingest_id].add(tally)
        self._pieces, self._size = [], 0


def _mended(bad: Sequence[Bad], folder: Spool) -> Iterator[Piece]:
    """Write the events that damaged lines hold, one piece for each piece that they come from."""
    for piece, damaged in groupby(bad, key=attrgetter("piece")):
        found = [(event, one.line, one.offset) for one in damaged for event in one.events]
        if found:
            events, lines, offsets = zip(*found, strict=True)
            numbered = None if piece.line is None else lines
            yield replace(piece, path=written(events, folder), line=numbered, offsets=offsets)
