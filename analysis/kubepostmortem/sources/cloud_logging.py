"""Audit logs of GKE in Cloud Logging: entries as gcloud, the API and sinks write them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kubepostmortem.sources.audit_events import Part, load_events
from kubepostmortem.sources.audit_pieces import Unwrapped, write
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.source import Numbered, Reading, Target
from kubepostmortem.sources.spool import Spool
from kubepostmortem.sources.unwrapping import parsed_value, unwrap

name = "GKE Cloud Logging"
describes = "GKE audit logs: gcloud logging read --format=json, sinks to Cloud Storage (JSON lines)"

OPERATION = re.compile(rb'"operation"\s*:\s*(\{[^{}]*\})')
MISSING = (
    "entries hold no query string and no duration, and a google.rpc status in place of the HTTP "
    "one; reads are there only where Data Access audit logs were on"
)


def recognises(file: InputFile) -> bool:
    """Entries whose payload is an AuditLog of Kubernetes."""
    text = file.text
    begins = text.lstrip()[:1] in ("{", "[")
    return begins and '"protoPayload"' in text and "google.cloud.audit.AuditLog" in text


def load(batch: Sequence[Numbered], target: Target) -> list[Reading]:
    """Read entries as events, as far as they tell what an event does."""
    return load_events(batch, target, _cut, read="ingest/cloud_logging_events", note=MISSING)


def _cut(file: InputFile, spool: Spool) -> Iterator[Part]:
    return write(unwrap(file, "entries", _entry), spool)


def _entry(entry: bytes, offset: int, found: Unwrapped) -> None:
    if not (entry.startswith(b"{") and entry.endswith(b"}")):
        found.add(entry, offset)  # it will be rejected for what it is
    elif b'"k8s.io"' not in entry:
        found.leave_out("entries of other services")
    elif _only_ends(entry):
        found.leave_out("ends of long-running operations, whose beginning tells the rest")
    else:
        found.add(entry.replace(b'"callerIP"', b'"callerIp"'), offset)  # both spellings occur


def _only_ends(entry: bytes) -> bool:
    """Tell whether this is the second of two entries about one operation."""
    if b'"first": true' in entry or b'"first":true' in entry:  # most entries, found fast
        return False
    operation = OPERATION.search(entry)
    told = parsed_value(operation[1]) if operation else None
    return isinstance(told, dict) and told.get("last") is True and not told.get("first")
