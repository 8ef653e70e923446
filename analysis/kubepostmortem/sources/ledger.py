"""The evidence ledger: what became of every record, and which files need no second look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.source import Numbered, Reading, Rejection, Target
from kubepostmortem.sources.times import NO_ZONE

Identity = tuple[str, int, int, str]  # path, bytes, time of change, format

READ_BEFORE = """
select path, bytes, modified_ns, format from ingests
where cluster = $cluster and not (
    -- Times that lacked a zone get one when it is told.
    $zone_told and ingest_id in (select ingest_id from rejected_lines where reason = $no_zone))
"""


def read_before(target: Target) -> set[Identity]:
    """Return what tells the files that were read before as the same format."""
    rows = target.store.frame(
        READ_BEFORE,
        cluster=target.cluster,
        zone_told=target.assume_tz is not None,
        no_zone=NO_ZONE,
    )
    return set(rows.iter_rows())


def written_path(label: str, target: Target) -> str:
    """Return the name of a file as the ledger has it."""
    return str(target.redacted("ingests", pl.DataFrame({"path": [label]}))["path"][0])


def identity(file: InputFile, format_: str, target: Target) -> Identity:
    """Return what tells this file from others."""
    return written_path(file.label, target), file.size, file.modified_ns, format_


def record(read: Sequence[tuple[Numbered, str, Reading]], target: Target) -> None:
    """Write the line of the ledger of each file read, with its format, and what was rejected."""
    _insert("ingests", [_line(*one, target.cluster) for one in read], target)
    for numbered, _, reading in read:
        keep_rejections(reading.rejections, numbered.ingest_id, target)


def _line(numbered: Numbered, format_: str, reading: Reading, cluster: str) -> dict[str, Any]:
    return {
        "ingest_id": numbered.ingest_id,
        "cluster": cluster,
        "path": numbered.file.label,
        "bytes": numbered.file.size,
        "modified_ns": numbered.file.modified_ns,
        "format": format_,
        "lines": reading.lines,
        "loaded": reading.loaded,
        "duplicates": reading.duplicates,
        "filtered": reading.filtered,
        "rejected": sum(reading.rejected.values()),
        "first_at": reading.first_at,
        "last_at": reading.last_at,
        "notes": reading.notes,
    }


def keep_rejections(found: Sequence[Rejection], ingest_id: int, target: Target) -> None:
    """Add rows to rejected_lines."""
    _insert("rejected_lines", [rejection.row(ingest_id) for rejection in found], target)


def _insert(table: str, rows: Sequence[dict[str, Any]], target: Target) -> None:
    if rows:
        frame = pl.DataFrame(rows, infer_schema_length=None)
        target.store.insert(table, target.redacted(table, frame))
