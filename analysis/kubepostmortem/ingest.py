"""Ingest: find files, recognise each, load them, and keep the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from pathlib import Path
from time import monotonic

from kubepostmortem.derived import derive
from kubepostmortem.errors import KubepostmortemError, NoUsableInput, QueryFailed
from kubepostmortem.model import statement
from kubepostmortem.redaction import Redaction
from kubepostmortem.sources import SOURCES
from kubepostmortem.sources.content import content
from kubepostmortem.sources.fetching import Fetch
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.finding import find, listed
from kubepostmortem.sources.ledger import identity, read_before, record, written_path
from kubepostmortem.sources.meter import Meter, Progress
from kubepostmortem.sources.redacting import mark, refuse_mixture
from kubepostmortem.sources.source import Numbered, Reading, Rejection, Source, Target
from kubepostmortem.sources.spool import EXPANSION, Spool, spool
from kubepostmortem.store import Store

BATCH_BYTES = 512 << 20
BATCH_SECONDS = 5  # of finding, which may be fetching: what was found is soon safe
PACKING_RATIO = 15  # audit logs shrink about that much
NO_FORMAT = UNREADABLE, EMPTY, UNKNOWN = "unreadable", "empty", "unknown"

# Why a batch may fail; files vanish between the look at them and their reading.
FAILED = (QueryFailed, FileNotFoundError, PermissionError)


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
        if self.file.known is not None:
            return self.file.known
        if self.file.refused is not None:
            return UNREADABLE
        return UNKNOWN if self.file.head else EMPTY

    @property
    def weight(self) -> int:
        """About how many bytes it unpacks to."""
        return self.file.size * (PACKING_RATIO if self.file.packed else 1)

    @property
    def given(self) -> int:
        """About how many bytes of the input it took: a member of an archive was packed there."""
        unpacked = self.file.stored != self.file.path
        return self.file.size // (PACKING_RATIO if unpacked else 1)


@dataclass(frozen=True)
class Outcome:
    """What one run of ingest did with one file."""

    path: Path
    format: str
    reading: Reading
    skipped: bool = False


def ingest(
    store: Store,
    given: Sequence[Path | str],
    cluster: str,
    *,
    fetches: Sequence[Fetch] = (),
    taken_at: datetime | None = None,
    assume_tz: str | None = None,
    redaction: Redaction | None = None,
    expansion: int = EXPANSION,
    progress: Progress | None = None,
) -> list[Outcome]:
    """Read files, folders, archives, URLs and what is fetched; every record is counted.

    Each batch is one transaction: a run that is killed leaves whole files, and the next run
    goes on where it stopped. expansion: how many times its size an input may unpack to.
    Raises NoUsableInput where nothing at all could be used.
    """
    refuse_mixture(store, redaction)
    names: list[str | Fetch] = [*listed(given), *fetches]
    meter = Meter(names, progress)
    target = Target(store, cluster, taken_at, assume_tz, redaction=redaction, heard=meter.hear)
    outcomes: list[Outcome] = []
    with spool(expansion) as folder:
        if redaction is not None:
            mark(store, redaction)
        for batch in _batches(_fresh(names, folder, target, outcomes, meter)):
            meter.begin(
                batch[0].file.label, sum(k.given for k in batch), sum(k.weight for k in batch)
            )
            outcomes += _load(batch, target)
            meter.finish(len(batch))
            for known in batch:
                folder.release(known.file.stored)
    _finish(store, cluster)
    _refuse_useless(outcomes)
    return outcomes


def _fresh(
    names: Sequence[str | Fetch],
    folder: Spool,
    target: Target,
    outcomes: list[Outcome],
    meter: Meter,
) -> Iterator[Recognised]:
    """Yield the files to load; those that were read before become outcomes at once."""
    before = read_before(target)
    formats: dict[tuple[str, int | None, int], str] = {}
    for path, size, modified_ns, format_ in before:
        if format_ not in NO_FORMAT:
            formats[path, size, modified_ns] = formats[path, None, modified_ns] = format_

    def known(label: str, size: int | None, modified_ns: int) -> str | None:
        return formats.get((written_path(label, target), size, modified_ns))

    for file in find(names, folder, known):
        found = _recognise(file)
        if file.known is not None or identity(file, found.format, target) in before:
            outcomes.append(_skipped(found))
            meter.skip(found.given)
            folder.release(file.stored)
        else:
            yield found


def _recognise(file: InputFile) -> Recognised:
    readable = file.refused is None
    return Recognised(
        file, next((s for s in SOURCES if s.recognises(file)), None) if readable else None
    )


def _skipped(known: Recognised) -> Outcome:
    note = "read before; path, size and modification time are the same"
    return Outcome(known.file.path, known.format, Reading(0, 0, notes=note), skipped=True)


def _batches(files: Iterable[Recognised]) -> Iterator[list[Recognised]]:
    """Group neighbours of one format into batches of bounded size.

    Where finding more fails, what was found before is still a batch.
    """
    batch: list[Recognised] = []
    size, began = 0, monotonic()
    try:
        for file in files:
            full = size + file.weight > BATCH_BYTES or monotonic() - began > BATCH_SECONDS
            if batch and (full or file.format != batch[0].format):
                yield batch
                batch, size, began = [], 0, monotonic()
            batch.append(file)
            size += file.weight
    except KubepostmortemError:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _load(batch: Sequence[Recognised], target: Target) -> list[Outcome]:
    """Load a batch; where DuckDB refuses, once more with care, and then each file by itself."""
    try:
        return _load_batch(batch, target)
    except FAILED:
        careful = replace(target, careful=True)
        return [outcome for file in batch for outcome in _load_carefully(file, careful)]


def _load_carefully(file: Recognised, target: Target) -> list[Outcome]:
    try:
        return _load_batch([file], target)
    except FAILED as refused:
        who = "DuckDB cannot read it" if isinstance(refused, QueryFailed) else "cannot be read"
        told = getattr(refused, "strerror", None) or str(refused)
        reason = f"{who}: {told.splitlines()[0][:200]}"
        whole = InputFile.refuse(file.file.path, file.file.label, reason)
        unread = replace(whole, size=file.file.size, modified_ns=file.file.modified_ns)
        return _load_batch([Recognised(unread, None)], target)


def _load_batch(batch: Sequence[Recognised], target: Target) -> list[Outcome]:
    store = target.store
    with store.transaction():
        first = store.value("select coalesce(max(ingest_id), 0) + 1 from ingests")
        numbered = [Numbered(n, known.file) for n, known in zip(count(first), batch)]
        source = batch[0].source
        readings = source.load(numbered, target) if source else list(map(_unknown, numbered))
        outcomes = [
            Outcome(known.file.path, known.format, reading)
            for known, reading in zip(batch, readings, strict=True)
        ]
        record([(n, o.format, o.reading) for n, o in zip(numbered, outcomes, strict=True)], target)
    return outcomes


def _unknown(numbered: Numbered) -> Reading:
    """A file in no format that we know is one rejected record."""
    file = numbered.file
    lost = None if file.head or file.refused else content(file)[1]
    if not (file.head.strip() or file.refused or lost):
        return Reading(lines=0, loaded=0, notes="the file is empty")
    reason = file.refused or lost or "format not recognised"
    return Reading(1, 0, rejections=[Rejection(reason, file.head, 1, 0)])


def _finish(store: Store, cluster: str) -> None:
    """Derive what needs the whole evidence of the cluster."""
    with store.transaction():
        store.run("insert or ignore into clusters values ($cluster)", cluster=cluster)
        store.run(statement("ingest/audit_nodes_by_address"), cluster=cluster)
        derive(store, cluster)


def _refuse_useless(outcomes: Sequence[Outcome]) -> None:
    known = any(o.skipped and o.format not in NO_FORMAT for o in outcomes)
    if known or any(o.reading.loaded or o.reading.duplicates for o in outcomes):
        return
    named = ", ".join(map(_told, outcomes[:5])) or "no files found"
    raise NoUsableInput(f"nothing could be used: {named}")


def _told(outcome: Outcome) -> str:
    why = outcome.reading.notes or ", ".join(outcome.reading.rejected)
    return f"{outcome.path} ({outcome.format}{f': {why}' if why else ''})"
