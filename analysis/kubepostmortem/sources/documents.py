"""Loading of documents that Python reads whole: objects, deploys, settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import polars as pl

from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.source import Numbered, Reading, Rejection, Target
from kubepostmortem.store import Store

KEYED = frozenset(
    {
        "api_request_counts",
        "apiserver_config",
        "flow_schemas",
        "nodes",
        "priority_levels",
        "workloads",
    }
)


@dataclass
class Contents:
    """What a document says: rows per table, without cluster and ingest_id.

    Every row names the record (0, 1, ...) of the document that it comes from as `record`.
    """

    records: int = 0
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    rejections: list[Rejection] = field(default_factory=list)
    filtered: int = 0
    times: list[datetime] = field(default_factory=list)
    notes: str | None = None

    def add(self, table: str, **row: Any) -> None:
        """Add a row that comes from the current (the last counted) record."""
        self.tables.setdefault(table, []).append({"record": self.records - 1, **row})


Reader = Callable[[InputFile, Target], Contents]


def load_documents(read: Reader, batch: Sequence[Numbered], target: Target) -> list[Reading]:
    """Read each file with `read` and add to the model what it did not know yet."""
    return [_load(read(numbered.file, target), numbered.ingest_id, target) for numbered in batch]


def _load(contents: Contents, ingest_id: int, target: Target) -> Reading:
    new: set[int] = set()
    for table, rows in contents.tables.items():
        new |= _add(table, rows, ingest_id, target)
    rejected = len(contents.rejections)
    return Reading(
        lines=contents.records,
        loaded=len(new),
        duplicates=contents.records - contents.filtered - rejected - len(new),
        filtered=contents.filtered,
        rejections=contents.rejections,
        first_at=min(contents.times, default=None),
        last_at=max(contents.times, default=None),
        notes=contents.notes,
    )


def _add(table: str, rows: list[dict[str, Any]], ingest_id: int, target: Target) -> set[int]:
    """Insert the rows that the table lacks; return the records that they come from."""
    store = target.store
    store.run(
        "create or replace temp table fresh_rows as "
        f'select * exclude ingest_id, 0::bigint as record from "{table}" limit 0'
    )
    frame = pl.DataFrame(rows, infer_schema_length=None)
    store.insert(
        "fresh_rows", target.redacted(table, frame).with_columns(cluster=pl.lit(target.cluster))
    )
    if table in KEYED:
        _keep_last(store, table)
    store.run(
        "create or replace temp table new_rows as "
        "select * exclude record, min(record) as record from fresh_rows "
        f'anti join "{table}" as known on {_same(_columns(store, table))} group by all'
    )
    store.run(
        f'insert {"or replace " if table in KEYED else ""}into "{table}" by name '
        "select * exclude record, $ingest_id::integer as ingest_id from new_rows",
        ingest_id=ingest_id,
    )
    return set(store.frame("select distinct record from new_rows")["record"])


def _keep_last(store: Store, table: str) -> None:
    """Of several rows with one key, keep the last: a file may show an object again and again."""
    key = store.value(
        "select constraint_column_names from duckdb_constraints() "
        "where table_name = $table and constraint_type = 'PRIMARY KEY'",
        table=table,
    )
    store.run(
        "create or replace temp table fresh_rows as from fresh_rows "
        f"qualify row_number() over (partition by {', '.join(key)} order by record desc) = 1"
    )


def _same(columns: Sequence[str]) -> str:
    return " and ".join(f'fresh_rows."{c}" is not distinct from known."{c}"' for c in columns)


def _columns(store: Store, table: str) -> list[str]:
    rows = store.rows(
        "select column_name from duckdb_columns() where table_name = $table and not internal "
        "and column_name <> 'ingest_id' order by column_index",
        table=table,
    )
    return [row["column_name"] for row in rows]
