"""CloudWatch Logs Insights: results of a query for @message, as CSV or as the API's JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kubepostmortem.sources import csv_content
from kubepostmortem.sources.audit_events import Part, load_events
from kubepostmortem.sources.audit_pieces import Unwrapped, write
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.source import EXCERPT_BYTES, Numbered, Reading, Rejection, Target
from kubepostmortem.sources.spool import Spool
from kubepostmortem.sources.unwrapping import add_message, parsed_value, unwrap, unwrap_csv

name = "EKS CloudWatch Insights"
describes = "EKS audit logs: CSV of the Logs Insights console, or aws logs get-query-results"

MOST = 10_000  # rows that Logs Insights gives, whatever there is
NO_FIELDS = "no fields and values"
NO_MESSAGE = "rows without @message"


def recognises(file: InputFile) -> bool:
    """A column @message, or results that are lists of fields and values."""
    if "@message" in csv_content.columns(file.text):
        return True
    return "results" in file.document_keys and '"@message"' in file.text


def load(batch: Sequence[Numbered], target: Target) -> list[Reading]:
    """Load the events in the messages; a result of 10,000 rows is most likely cut there."""
    note = f"Logs Insights gives {MOST:,} rows at most: a result of as many is cut"
    return load_events(batch, target, _cut, note=note)


def _cut(file: InputFile, spool: Spool) -> Iterator[Part]:
    csv = bool(csv_content.columns(file.text))
    return write(unwrap_csv(file, _message) if csv else unwrap(file, "results", _row), spool)


def _row(row: bytes, offset: int, found: Unwrapped) -> None:
    try:
        fields = {str(pair["field"]).lower(): pair["value"] for pair in parsed_value(row)}
    except (KeyError, TypeError):
        found.rejections.append(Rejection(NO_FIELDS, row[:EXCERPT_BYTES], None, offset))
    else:
        _message(fields, offset, found)


def _message(fields: Mapping[str, Any], offset: int, found: Unwrapped) -> None:
    if "@message" in fields:
        add_message(fields["@message"], fields.get("@logstream"), offset, found)
    else:
        found.leave_out(NO_MESSAGE)
