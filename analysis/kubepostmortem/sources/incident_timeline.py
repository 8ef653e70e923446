"""Timelines of incidents: what people and alerts wrote down while it happened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from kubepostmortem.sources import csv_content
from kubepostmortem.sources.changes import begun_at, first_plain
from kubepostmortem.sources.content import Record, Unusable, dig, tabulate
from kubepostmortem.sources.documents import Contents, load_documents
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.kube_fields import first_said, said
from kubepostmortem.sources.source import Numbered, Reading, Rejection, Target
from kubepostmortem.sources.structured import (
    documents,
    entries,
    first_keys,
    in_lower_case,
    is_structured,
    keys_at,
    record,
)

name = "incident timeline"
describes = "Notes with their times: CSV time,event,actor; PagerDuty, incident.io, Opsgenie exports"

TIME = (
    "occurred_at",
    "display_at",
    "time",
    "timestamp",
    "created_at",
    "createdat",
    "eventtime",
    "at",
    "date",
)
TEXT = ("event", "note", "what", "entry", "content", "body", "log", "comment", "update")
LONGER = ("summary", "message", "description", "title", "text")
ACTOR = ("actor", "agent", "user", "owner", "author", "creator", "updater", "who", "by")
LOGS = ("value", "metric", "level", "severity", "auditid", "apiversion", "kind", "metadata")
DEPLOYS = ("service", "component", "app", "sha", "ref", "tag_name", "head_sha", "deployment_url")
OTHERWISE = frozenset({*LOGS, *DEPLOYS, "involvedobject", "stages", "pipeline", "chart"})
# Arrays that only such exports have, and those that need a look at their first entry.
OURS = ("log_entries", "timeline_items", "incident_updates")
WRAPPERS = (*OURS, "notes", "timeline", "entries", "updates", "items", "data", "incidents")

NO_TEXT = "no text"
# Where the words may be, within a field that is an object.
WORDS = ("content", "text", "text_content", "summary", "name", "email", "username", "login")


def recognises(file: InputFile) -> bool:
    """Columns or keys that name a time and an event, and none that tell of logs or deploys."""
    if not is_structured(file):
        header = set(csv_content.columns(file.text))
        return _tells_notes(header) and bool(header & {*TEXT, *ACTOR})
    keys = {key.lower() for key in first_keys(file, *WRAPPERS)}
    if keys_at(file) & {*OURS} or "incident_updates" in keys or "entries" in keys_at(file, "data"):
        return True
    return _tells_notes(keys) and bool(keys & {*ACTOR})


def _tells_notes(names: set[str]) -> bool:
    return bool(names & {*TIME} and names & {*TEXT, *LONGER} and not names & OTHERWISE)


def load(batch: Sequence[Numbered], target: Target) -> list[Reading]:
    """Add the notes that are not known yet."""
    return load_documents(read, batch, target)


def read(file: InputFile, target: Target) -> Contents:
    """Read one row of timeline_notes per entry; one without a zone in its time is rejected."""
    records = _entries(file) if is_structured(file) else csv_content.records(file)
    note = partial(_note, zone=target.assume_tz)
    return tabulate(records, "timeline_notes", note, dated_by="noted_at")


def _entries(file: InputFile) -> Iterator[Record | Rejection]:
    found, damaged = documents(file)
    for document in found:
        for entry in entries(_opened(document), *WRAPPERS):
            yield from map(in_lower_case, map(record, entries(entry, "incident_updates")))
    yield from damaged


def _opened(document: Any) -> Any:
    """The part of an answer that holds the entries: Opsgenie wraps twice, Statuspage names one."""
    data, incident = dig(document, "data"), dig(document, "incident")
    return data if isinstance(data, dict) else incident if isinstance(incident, dict) else document


def _note(fields: Any, zone: str | None) -> dict[str, Any]:
    text = _text(fields)
    if text is None:
        raise Unusable(NO_TEXT)
    return {
        "noted_at": begun_at(*map(fields.get, TIME), zone=zone),
        "text": text,
        "actor": first_plain(*(_words(fields.get(key)) for key in ACTOR)),
        "reported_by": name,
    }


def _text(fields: Any) -> str | None:
    """What happened, and what more a paging system tells: the alert that fired, a new status."""
    told = first_plain(*(_words(fields.get(key)) for key in (*TEXT, *LONGER)))
    alert = first_said(fields, *(("channel", key) for key in ("summary", "subject", "notes")))
    status = first_said(fields, ("new_incident_status", "name"))
    status = status or (said(fields, "status") if "body" in fields else None)
    parts = [status, told, alert if alert != told else None]
    return ": ".join(part for part in parts if part) or None


def _words(value: Any) -> str | None:
    """A text; of an object, the words in it."""
    names = (*((key,) for key in WORDS), *(("user", key) for key in WORDS))
    return first_plain(value) or first_said(value, *names)
