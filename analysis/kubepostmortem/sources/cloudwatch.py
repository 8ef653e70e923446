"""CloudWatch Logs of EKS: log events as the API, a subscription or an export to S3 gives them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kubepostmortem.sources.audit_events import Part, load_events
from kubepostmortem.sources.audit_pieces import Unwrapped, write
from kubepostmortem.sources.content import dig, listed
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.source import EXCERPT_BYTES, Numbered, Reading, Rejection, Target
from kubepostmortem.sources.spool import Spool
from kubepostmortem.sources.unwrapping import add_message, parsed, parsed_value, recovered, unwrap

name = "EKS CloudWatch Logs"
describes = "EKS audit logs: aws logs filter-log-events or get-log-events, subscriptions (Firehose)"

# The streams of a log group; a subscription's record names its stream outside of the events.
LOG_EVENT = re.compile(r'"message"\s*:\s*"')
STREAM = re.compile(rb'"logStream"\s*:\s*("[^"\\]*")')
DATA = "DATA_MESSAGE"  # beside it there are only control messages
NO_EVENTS = "no logEvents"
WHOLE_DOCUMENT = ""  # no array has this key: each top-level object is one record


def recognises(file: InputFile) -> bool:
    """`events` or `logEvents` whose messages are texts; a control message comes before these."""
    keys = file.document_keys
    polled = "events" in keys and LOG_EVENT.search(file.text) is not None
    return polled or {"messageType", "logGroup", "logStream"} <= keys


def load(batch: Sequence[Numbered], target: Target) -> list[Reading]:
    """Take the audit events out of the log events; one log stream is one API server."""
    return load_events(batch, target, _cut)


def _cut(file: InputFile, spool: Spool) -> Iterator[Part]:
    subscribed = "messageType" in file.document_keys
    key, take = (WHOLE_DOCUMENT, _subscribed) if subscribed else ("events", _polled)
    return write(unwrap(file, key, take), spool)


def _polled(record: bytes, offset: int, found: Unwrapped) -> None:
    if (event := parsed(record, offset, found)) is not None:
        add_message(event.get("message"), event.get("logStreamName"), offset, found)


def _subscribed(record: bytes, offset: int, found: Unwrapped) -> None:
    document = parsed(record, offset, found)
    if document is None:
        stream = STREAM.search(record)
        document = {"messageType": DATA, **recovered(record, "logEvents")}
        document["logStream"] = parsed_value(stream[1]) if stream else None
    if document.get("messageType") != DATA:
        found.leave_out("control messages of the subscription")
        return
    events = document.get("logEvents")
    if not isinstance(events, list):
        found.rejections.append(Rejection(NO_EVENTS, record[:EXCERPT_BYTES], None, offset))
    for event in listed(events):
        add_message(dig(event, "message"), document.get("logStream"), offset, found)
