"""Folding of the events just read into requests: callers named, duplicates found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kubepostmortem.components import classify_callers
from kubepostmortem.model import statement
from kubepostmortem.sources.redacting import redact_audit_events, redact_callers
from kubepostmortem.sources.source import Target
from kubepostmortem.store import Store


@dataclass(frozen=True)
class Tally:
    """Of one file, the usable events among those just read, and how many were known already."""

    ingest_id: int
    usable: int
    duplicates: int
    first_at: datetime | None
    last_at: datetime | None


def merge(target: Target) -> list[Tally]:
    """Fold audit_events into requests and drop it; return the tally of each file."""
    store, cluster = target.store, target.cluster
    rows = store.rows(statement("ingest/audit_tally"))
    _name_callers(target)
    store.run(statement("ingest/audit_arrivals"))
    store.run(statement("ingest/audit_addresses"), cluster=cluster)
    store.run(statement("ingest/audit_known"), cluster=cluster, **_span(rows))
    duplicates = _duplicates(store)
    if store.has("audit_known"):
        store.run(statement("ingest/audit_remember"), cluster=cluster)
        store.run(statement("ingest/audit_complete"), cluster=cluster)
    store.run(statement("ingest/audit_insert"), cluster=cluster)
    store.run("drop table audit_events")
    return [Tally(**row, duplicates=duplicates.get(row["ingest_id"], 0)) for row in rows]


def _name_callers(target: Target) -> None:
    """Classify new callers, by what they are called in truth, before anything is redacted."""
    store = target.store
    new = classify_callers(store.frame(statement("ingest/audit_new_callers")))
    if target.redaction is None:
        store.insert("callers", new)
        return
    store.insert("callers", redact_callers(new, target.redaction, store))
    redact_audit_events(target.redaction, store)


def _span(rows: Sequence[dict[str, Any]]) -> dict[str, datetime | None]:
    return {
        "first_at": min((row["first_at"] for row in rows if row["first_at"]), default=None),
        "last_at": max((row["last_at"] for row in rows if row["last_at"]), default=None),
    }


def _duplicates(store: Store) -> dict[int, int]:
    """Number of events per file that were read before, in this batch or an earlier one."""
    repeated = store.value("select sum(events) - sum(bit_count(stages_seen)) from audit_arrivals")
    if not repeated and not store.has("audit_known"):
        return {}
    rows = store.rows(statement("ingest/audit_duplicates"))
    return {row["ingest_id"]: row["duplicates"] for row in rows}
