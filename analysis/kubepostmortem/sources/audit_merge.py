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


# Requests that are held as open, at most: a row group of DuckDB.
MOST_OPEN = 122_880


def hold_none(store: Store) -> None:
    """Begin with no request that is held as open."""
    store.run("create or replace temp table audit_open as from requests limit 0")


def merge(target: Target, *, more: bool) -> list[Tally]:
    """Fold audit_events into requests and drop it; return the tally of each file.

    more: whether more events will come, which may end what is open now.
    """
    store, cluster = target.store, target.cluster
    rows = store.rows(statement("ingest/audit_tally"))
    _name_callers(target)
    store.run(statement("ingest/audit_arrivals"))
    store.run(statement("ingest/audit_addresses"), cluster=cluster)
    store.run(statement("ingest/audit_known"), cluster=cluster, **_span(rows))
    duplicates = _duplicates(store)
    _change_known(store, cluster)
    store.run(statement("ingest/audit_folded"))
    store.run(statement("ingest/audit_insert"), cluster=cluster, more=more)
    _hold_open(store, cluster, more)
    store.run("drop table audit_events")
    return [Tally(**row, duplicates=duplicates.get(row["ingest_id"], 0)) for row in rows]


def _change_known(store: Store, cluster: str) -> None:
    """Change the requests in the database that have new stages; make place where these end them."""
    ends = store.frame(
        "select distinct stages_gained > stages_seen as ends from audit_known "
        "where not held and stages_gained > 0"
    )["ends"]
    if False in ends:
        store.run(statement("ingest/audit_remember"), cluster=cluster)
    if True in ends:
        store.run(statement("ingest/audit_complete"), cluster=cluster)


def _hold_open(store: Store, cluster: str, more: bool) -> None:
    """Bring what is held as open up to date; write it if it is much, or nothing will end it."""
    if not more and not store.has("audit_open"):
        return
    store.run(statement("ingest/audit_open"), cluster=cluster, more=more)
    if not more or store.value("select count(*) from audit_open") > MOST_OPEN:
        store.run(statement("ingest/audit_flush"))
        hold_none(store)


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
