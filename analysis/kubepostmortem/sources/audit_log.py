"""Audit logs of the API server as its log backend writes them: one JSON event per line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

from kubepostmortem.components import classify_callers
from kubepostmortem.model import statement
from kubepostmortem.sources.files import DAMAGED, InputFile
from kubepostmortem.sources.gzip_repair import Mended, mend
from kubepostmortem.sources.source import Numbered, Reading, Rejection, Target
from kubepostmortem.store import Store

name = "audit.k8s.io/v1 lines"
describes = "Audit log of the API server (--audit-log-path), JSON lines, plain or gzip, rotated"

NOT_JSON = "not a JSON object"
CUT = "cut off: the last line has no end"
NO_LINES = {"lines": 0, "unusable": 0, "first_at": None, "last_at": None}


def recognises(file: InputFile) -> bool:
    """An event on a line of its own; where no line of the head is whole, an event's beginning."""
    if any(record.get("kind") == "Event" and "auditID" in record for record in file.records):
        return True
    begins_event = re.match(r'\s*\{"kind":"Event","apiVersion":"audit\.k8s\.io/v1"', file.text)
    return not file.records and begins_event is not None


def load(batch: Sequence[Numbered], target: Target) -> list[Reading]:
    """Read events, fold the stages of a request into one row, and count every line."""
    with TemporaryDirectory() as folder:
        mended = [
            mend(numbered.file, Path(folder)) if target.careful else Mended(numbered.file)
            for numbered in batch
        ]
        return _load(batch, mended, target)


def _load(batch: Sequence[Numbered], mended: Sequence[Mended], target: Target) -> list[Reading]:
    store = target.store
    _read_events(batch, mended, store)
    tally = {row["ingest_id"]: row for row in store.rows(statement("ingest/audit_tally"))}
    _name_callers(store)
    duplicates = _merge(target, list(tally.values()))
    store.run("drop table audit_events")
    return [
        _reading(known, tally.get(n.ingest_id, NO_LINES), duplicates.get(n.ingest_id, 0), store)
        for n, known in zip(batch, mended, strict=True)
    ]


def _read_events(batch: Sequence[Numbered], mended: Sequence[Mended], store: Store) -> None:
    store.run(
        "create or replace temp table audit_files (path varchar, ingest_id int, apiserver varchar)"
    )
    store.insert(
        "audit_files",
        [
            {
                "path": str(readable.file.path),
                "ingest_id": n.ingest_id,
                "apiserver": apiserver_of(n.file.path),
            }
            for n, readable in zip(batch, mended, strict=True)
        ],
    )
    paths = [_pattern(readable.file.path) for readable in mended]
    compression = batch[0].file.compression
    store.run(statement("ingest/audit_events"), paths=paths, compression=compression)


def _pattern(path: Path) -> str:
    """The pattern that fits only this path, since DuckDB takes every path for a pattern."""
    return re.sub(r"[*?\[]", r"[\g<0>]", str(path))


def _name_callers(store: Store) -> None:
    new = store.frame(statement("ingest/audit_new_callers"))
    store.insert("callers", classify_callers(new))


def _merge(target: Target, tally: Sequence[dict[str, Any]]) -> dict[int, int]:
    """Fold events into requests; return the duplicates per file."""
    store, cluster = target.store, target.cluster
    first_at = min((row["first_at"] for row in tally if row["first_at"]), default=None)
    last_at = max((row["last_at"] for row in tally if row["last_at"]), default=None)
    store.run(statement("ingest/audit_arrivals"))
    store.run(statement("ingest/audit_addresses"), cluster=cluster)
    store.run(statement("ingest/audit_known"), cluster=cluster, first_at=first_at, last_at=last_at)
    duplicates = _duplicates(store)
    if store.has("audit_known"):
        store.run(statement("ingest/audit_remember"), cluster=cluster)
        store.run(statement("ingest/audit_complete"), cluster=cluster)
    store.run(statement("ingest/audit_insert"), cluster=cluster)
    return duplicates


def _duplicates(store: Store) -> dict[int, int]:
    repeated = store.value("select sum(events) - sum(bit_count(stages_seen)) from audit_arrivals")
    if not repeated and not store.has("audit_known"):
        return {}
    rows = store.rows(statement("ingest/audit_duplicates"))
    return {row["ingest_id"]: row["duplicates"] for row in rows}


def _reading(readable: Mended, tally: Mapping[str, Any], repeated: int, store: Store) -> Reading:
    rejections = list(_unusable(readable.file, store)) if tally["unusable"] else []
    lost = [readable.lost] if readable.lost else []
    return Reading(
        lines=tally["lines"] + len(lost),
        loaded=tally["lines"] - tally["unusable"] - repeated,
        duplicates=repeated,
        rejections=rejections + lost,
        first_at=tally["first_at"],
        last_at=tally["last_at"],
    )


def apiserver_of(path: Path) -> str:
    """Name the API server instance where the path tells it: API-SERVER/NODE-audit.log.

    Rotated files of one instance must get one name, so the stamp in a file's name is no part of it.
    """
    folder = path.parent.name
    node = re.match(r"(.+?)-audit(-[0-9T.:-]+)?\.log", path.name)
    return f"{folder}/{node[1]}" if folder.endswith("-apiserver") and node else ""


def _unusable(file: InputFile, store: Store) -> Iterator[Rejection]:
    """Find the lines that DuckDB could not use, a second and slower pass over a damaged file."""
    store.run("set preserve_insertion_order = true")  # so that row numbers are line numbers
    bad = store.frame(
        statement("ingest/audit_unusable"), path=_pattern(file.path), compression=file.compression
    )
    store.run("set preserve_insertion_order = false")
    reasons: dict[int, str] = dict(bad.iter_rows())
    with file.open() as lines, suppress(*DAMAGED):
        yield from _numbered_lines(lines, reasons)
    # DuckDB checks no checksums, so it can see lines behind the damage; Python cannot show them.
    yield from (Rejection(reason, b"(behind damage)") for reason in reasons.values())


def _numbered_lines(lines: BinaryIO, reasons: dict[int, str]) -> Iterator[Rejection]:
    """Yield the lines with a reason, by their number among the non-blank ones; take it out."""
    ordinal = offset = 0
    for number, line in enumerate(lines, start=1):
        if line.strip():
            ordinal += 1
            if reason := reasons.pop(ordinal, None):
                cut = not line.endswith(b"\n") and reason == NOT_JSON
                yield Rejection(CUT if cut else reason, line, number, offset)
        offset += len(line)
