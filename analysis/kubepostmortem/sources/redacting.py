"""Redaction on the way into the store: one key per database, and nothing plain behind it."""

from __future__ import annotations

import polars as pl

from kubepostmortem.errors import UsageError
from kubepostmortem.model import statement
from kubepostmortem.redaction import Redaction
from kubepostmortem.redaction.keys import VARIABLE
from kubepostmortem.redaction.vocabulary import declared
from kubepostmortem.store import Store

PLAIN_FIRST = "this database holds evidence as it was; redact into a new one"
REDACTED = "this database is redacted; ingest with --redact and its key"
OTHER_KEY = f"this database was redacted with another key; set {VARIABLE} to that one"


def refuse_mixture(store: Store, redaction: Redaction | None) -> None:
    """Raise UsageError where what follows would not fit what the database already holds."""
    check = store.value("select key_check from redaction")
    if check is None and redaction is not None and store.has("ingests"):
        raise UsageError(PLAIN_FIRST)
    if check is not None and redaction is None:
        raise UsageError(REDACTED)
    if check is not None and redaction is not None and not redaction.made(check):
        raise UsageError(OTHER_KEY)


def refuse_new_key(store: Store) -> None:
    """Raise UsageError where the database needs the key that it was redacted with."""
    if store.has("redaction"):
        raise UsageError(OTHER_KEY)
    if store.has("ingests"):
        raise UsageError(PLAIN_FIRST)


def mark(store: Store, redaction: Redaction) -> None:
    """Write down which key the pseudonyms of the database are made with, if it is the first."""
    if not store.has("redaction"):
        store.insert("redaction", [{"key_check": redaction.check()}])


def redact_callers(callers: pl.DataFrame, redaction: Redaction, store: Store) -> pl.DataFrame:
    """Return classified callers under pseudonyms, but those that the database knows."""
    known = store.frame("select username, user_agent, shape from callers")
    redacted = redaction.frame("callers", callers).unique(
        known.columns, keep="first", maintain_order=True
    )
    return redacted.join(known, on=known.columns, how="anti")


def redact_audit_events(redaction: Redaction, store: Store) -> None:
    """Replace the texts in audit_events, the events just read, each distinct one once."""
    objects = declared()["objects"].items()
    kinds = [{"resource": resource, "kind": kind} for resource, kind in objects]
    store.run("create or replace temp table object_kinds (resource varchar, kind varchar)")
    store.insert("object_kinds", kinds)
    store.run(
        "create or replace temp table pseudonyms (kind varchar, text varchar, pseudonym varchar)"
    )
    store.insert("pseudonyms", redaction.texts(store.frame(statement("ingest/redact_audit_texts"))))
    store.run(statement("ingest/redact_audit_events"))
    store.run("drop table pseudonyms")
