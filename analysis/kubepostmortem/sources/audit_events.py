"""Loading of audit events, whatever they came in: folded into requests, every record counted."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace

from kubepostmortem.sources.audit_ahead import ahead
from kubepostmortem.sources.audit_count import Count
from kubepostmortem.sources.audit_pieces import PIECE_BYTES, Piece, Unwrapped
from kubepostmortem.sources.audit_staging import Staging
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.source import Numbered, Reading, Rejection, Target
from kubepostmortem.sources.spool import Spool, spool

JSON_EVENTS = "ingest/audit_events"

Part = Piece | Rejection | Unwrapped
Cut = Callable[[InputFile, Spool], Iterable[Part]]


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
    with (
        spool() as folder,
        closing(_placed(batch, cut, folder, apiserver, counts, target)) as placed,
    ):
        staging = Staging(target, read, folder, counts)
        for pieces in _groups(placed):
            staging.add(pieces)
        staging.finish()
    return [counts[numbered.ingest_id].reading(note) for numbered in batch]


def _placed(
    batch: Sequence[Numbered],
    cut: Cut,
    folder: Spool,
    apiserver: Callable[[InputFile], str],
    counts: Mapping[int, Count],
    target: Target,
) -> Generator[Piece]:
    """Yield the pieces of all files; count what else there is."""
    parts = ((numbered, part) for numbered in batch for part in cut(numbered.file, folder))
    for numbered, part in ahead(parts):
        ingest_id, known = numbered.ingest_id, counts[numbered.ingest_id]
        if isinstance(part, Piece):
            yield replace(part, ingest_id=ingest_id, apiserver=apiserver(numbered.file))
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
