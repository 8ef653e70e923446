"""Ingest: find files, recognise each, load them, and keep the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from pathlib import Path

from kubepostmortem.errors import NoUsableInput, QueryFailed
from kubepostmortem.model import statement
from kubepostmortem.sources import SOURCES
from kubepostmortem.sources.files import InputFile, discover
from kubepostmortem.sources.source import Numbered, Reading, Rejection, Source, Target
from kubepostmortem.store import Store
from kubepostmortem.windows import choose_windows

BATCH_BYTES = 256 * 1024 * 1024
GZIP_RATIO = 15  # audit logs shrink about that much
NO_FORMAT = ("unknown", "empty")

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Recognised:
    """A file and the source that will read it; no source: nothing knows its format."""

    file: InputFile
    source: Source | None

    @property
    def format(self) -> str:
        """Name of the format, for the ledger."""
        if self.source is not None:
            return self.source.name
        return NO_FORMAT[0] if self.file.head else NO_FORMAT[1]

    @property
    def identity(self) -> tuple[str, int, int, str]:
        """What tells that a file was read before: the same file, and known as the same format."""
        return str(self.file.path), self.file.size, self.file.modified_ns, self.format


@dataclass(frozen=True)
class Outcome:
    """What one run of ingest did with one file."""

    path: Path
    format: str
    reading: Reading
    skipped: bool = False


def ingest(
    store: Store,
    paths: Sequence[Path],
    cluster: str,
    *,
    taken_at: datetime | None = None,
    progress: Progress | None = None,
) -> list[Outcome]:
    """Read files and folders into the store; every record is counted, whatever becomes of it.

    Each batch is one transaction: a run that is killed leaves whole files, and the next run
    goes on where it stopped. Raises NoUsableInput where nothing at all could be used.
    """
    target = Target(store, cluster, taken_at)
    outcomes: list[Outcome] = []
    files = [_look(path) for path in discover(paths)]
    known = _already_read(store, cluster)
    outcomes += [_skipped(file) for file in files if file.identity in known]
    fresh = [file for file in files if file.identity not in known]
    for batch in _batches(fresh):
        if progress:
            progress(len(outcomes), len(files), str(batch[0].file.path))
        outcomes += _load(batch, target)
    _finish(store, cluster)
    _refuse_useless(outcomes)
    return outcomes


def _look(path: Path) -> Recognised:
    try:
        file = InputFile.look(path)
    except OSError as refused:
        raise NoUsableInput(f"cannot read {path}: {refused.strerror}") from refused
    source = next((source for source in SOURCES if source.recognises(file)), None)
    return Recognised(file, source)


def _already_read(store: Store, cluster: str) -> set[tuple[str, int, int, str]]:
    rows = store.frame(
        "select path, bytes, modified_ns, format from ingests where cluster = $cluster",
        cluster=cluster,
    )
    return set(rows.iter_rows())


def _skipped(known: Recognised) -> Outcome:
    note = "read before; path, size and modification time are the same"
    return Outcome(known.file.path, known.format, Reading(0, 0, notes=note), skipped=True)


def _batches(files: Sequence[Recognised]) -> Iterator[list[Recognised]]:
    """Group neighbours of one format and compression into batches of bounded size."""
    for _, alike in groupby(files, key=lambda f: (f.format, f.file.compression)):
        batch: list[Recognised] = []
        size = 0
        for file in alike:
            weight = file.file.size * (GZIP_RATIO if file.file.compression == "gzip" else 1)
            if batch and size + weight > BATCH_BYTES:
                yield batch
                batch, size = [], 0
            batch.append(file)
            size += weight
        yield batch


def _load(batch: Sequence[Recognised], target: Target) -> list[Outcome]:
    """Load a batch; where DuckDB refuses a damaged file, once more with care, which is slower."""
    try:
        return _load_batch(batch, target)
    except QueryFailed:
        return _load_batch(batch, replace(target, careful=True))


def _load_batch(batch: Sequence[Recognised], target: Target) -> list[Outcome]:
    store = target.store
    with store.transaction():
        first = store.value("select coalesce(max(ingest_id), 0) + 1 from ingests")
        numbered = [Numbered(first + i, known.file) for i, known in enumerate(batch)]
        source = batch[0].source
        readings = source.load(numbered, target) if source else list(map(_unknown, numbered))
        outcomes = [
            Outcome(known.file.path, known.format, reading)
            for known, reading in zip(batch, readings, strict=True)
        ]
        for number, outcome in zip(numbered, outcomes, strict=True):
            _record(store, target.cluster, number, outcome)
    return outcomes


def _unknown(numbered: Numbered) -> Reading:
    """A file in no format that we know is one rejected record."""
    head = numbered.file.head
    if not head.strip():
        return Reading(lines=0, loaded=0, notes="the file is empty")
    return Reading(1, 0, rejections=[Rejection("format not recognised", head, 1, 0)])


def _record(store: Store, cluster: str, numbered: Numbered, outcome: Outcome) -> None:
    """Write the file's line of the ledger, and what was rejected of it."""
    reading, file = outcome.reading, numbered.file
    row = {
        "ingest_id": numbered.ingest_id,
        "cluster": cluster,
        "path": str(file.path),
        "bytes": file.size,
        "modified_ns": file.modified_ns,
        "format": outcome.format,
        "lines": reading.lines,
        "loaded": reading.loaded,
        "duplicates": reading.duplicates,
        "filtered": reading.filtered,
        "rejected": len(reading.rejections),
        "first_at": reading.first_at,
        "last_at": reading.last_at,
        "notes": reading.notes,
    }
    store.insert("ingests", [row])
    store.insert("rejected_lines", [r.row(numbered.ingest_id) for r in reading.rejections])


def _finish(store: Store, cluster: str) -> None:
    """Derive what needs the whole evidence of the cluster."""
    with store.transaction():
        store.run("insert or ignore into clusters values ($cluster)", cluster=cluster)
        store.run(statement("ingest/audit_nodes_by_address"), cluster=cluster)
        choose_windows(store, cluster)


def _refuse_useless(outcomes: Sequence[Outcome]) -> None:
    known = any(o.skipped and o.format not in NO_FORMAT for o in outcomes)
    if known or any(o.reading.loaded or o.reading.duplicates for o in outcomes):
        return
    listed = ", ".join(f"{o.path} ({o.format})" for o in outcomes[:5]) or "no files found"
    raise NoUsableInput(f"nothing could be used: {listed}")
