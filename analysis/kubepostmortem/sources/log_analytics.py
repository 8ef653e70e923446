"""Audit logs of AKS in a Log Analytics workspace: results of a query, as JSON or CSV.

Two tables hold them: AzureDiagnostics with the event as text in log_s, and AKSAudit or
AKSAuditAdmin with a column for each field of the event.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from kubepostmortem.sources import csv_content
from kubepostmortem.sources.audit_events import Part, load_events
from kubepostmortem.sources.audit_pieces import Unwrapped, write
from kubepostmortem.sources.content import dig, listed
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.json_content import excerpt, first_object
from kubepostmortem.sources.source import Numbered, Reading, Rejection, Target
from kubepostmortem.sources.spool import Spool
from kubepostmortem.sources.unwrapping import (
    add_message,
    named,
    parsed,
    parsed_value,
    recovered,
    unwrap,
    unwrap_csv,
)

name = "AKS Log Analytics"
describes = "AKS audit logs: az monitor log-analytics query -o json, the API's tables, CSV exports"

AZURE_DIAGNOSTICS = {"log_s"}
AKS_AUDIT = {"auditid", "requesturi", "requestreceivedtime"}  # no event has all three
NO_ROW = "not a row of the table"
COLUMNS = '"columns"'
FIELDS = {  # column of AKSAudit: field of an event
    "auditid": "auditID",
    "level": "level",
    "stage": "stage",
    "requesturi": "requestURI",
    "verb": "verb",
    "user": "user",
    "impersonateduser": "impersonatedUser",
    "sourceips": "sourceIPs",
    "useragent": "userAgent",
    "objectref": "objectRef",
    "responsestatus": "responseStatus",
    "requestreceivedtime": "requestReceivedTimestamp",
    "stagereceivedtime": "stageTimestamp",
    "annotations": "annotations",
}
STRUCTURED = {"user", "impersonateduser", "sourceips", "objectref", "responsestatus", "annotations"}


def recognises(file: InputFile) -> bool:
    """Tables of columns and rows, or rows, with the columns of one of the two tables."""
    if {"tables"} <= file.document_keys and COLUMNS in file.text:
        lower = file.text.lower()
        return '"log_s"' in lower or '"auditid"' in lower
    keys = first_object(file.text).keys() or csv_content.columns(file.text)
    return _tells({key.lower() for key in keys})


def _tells(columns: set[str]) -> bool:
    return columns >= AZURE_DIAGNOSTICS or columns >= AKS_AUDIT


def load(batch: Sequence[Numbered], target: Target) -> list[Reading]:
    """Load the events that the rows hold; a pod is one API server."""
    return load_events(batch, target, _cut)


def _cut(file: InputFile, spool: Spool) -> Iterator[Part]:
    csv = bool(csv_content.columns(file.text))
    return write(unwrap_csv(file, _event) if csv else unwrap(file, "tables", _rows), spool)


def _rows(record: bytes, offset: int, found: Unwrapped) -> None:
    """Take the rows of a table of the API, or the one row that the record is."""
    fields = parsed(record, offset, found)
    if fields is None:
        fields = recovered(record, "columns", "rows")
    if "columns" not in fields:
        _event(fields, offset, found)
        return
    names = [str(dig(column, "name")) for column in listed(fields["columns"])]
    for row in listed(fields.get("rows")):
        if isinstance(row, list) and len(row) == len(names):
            _event(dict(zip(names, row, strict=True)), offset, found)
        else:
            found.rejections.append(Rejection(NO_ROW, excerpt(row), None, offset))


def _event(row: Mapping[str, Any], offset: int, found: Unwrapped) -> None:
    fields = {key.lower(): value for key, value in row.items()}
    if "log_s" in fields:
        add_message(fields["log_s"], fields.get("pod_s"), offset, found)
        return
    event = {field: _value(column, fields.get(column)) for column, field in FIELDS.items()}
    told = {field: value for field, value in event.items() if value not in (None, "")}
    try:
        found.add(named(orjson.dumps({"kind": "Event"} | told), fields.get("podname")), offset)
    except TypeError as wrong:  # nested too deeply, or a number beyond 64 bits
        found.rejections.append(Rejection(f"no event: {wrong}", excerpt(row), None, offset))


def _value(column: str, value: Any) -> Any:
    """Dynamic columns come as text or as values."""
    if column not in STRUCTURED or not isinstance(value, str):
        return value
    return parsed_value(value.encode("utf-8", errors="replace"))
