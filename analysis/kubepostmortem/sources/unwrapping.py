"""Audit events out of JSON records, whatever those are wrapped in."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import orjson

from kubepostmortem.sources import csv_content
from kubepostmortem.sources.audit_pieces import Unwrapped, flat
from kubepostmortem.sources.content import NOT_JSON
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.source import EXCERPT_BYTES, Rejection

NO_EVENT = "messages that are no audit events"
TRUNCATED = "[Truncated...]"  # what CloudWatch puts at the end of a message that it cut
CUT_MESSAGE = f"cut by the log service: {TRUNCATED}"


def by_line(file: InputFile) -> bool:
    """Tell whether no value goes on after its line: a line of the head is a whole object."""
    return bool(file.records)


def unwrap(
    file: InputFile, key: str, take: Callable[[bytes, int, Unwrapped], None] | None = None
) -> Iterator[Unwrapped]:
    """Give each record of a file, with its offset, to `take`, and yield what that gathers.

    take: None where each record is an event. What a damaged packed file does not give is one
    rejection.
    """
    from kubepostmortem.sources.json_scan import records  # numba takes a second to import

    offset, per_line = 0, by_line(file)
    with file.open() as stream:
        for part in records(stream, key, by_line=per_line):
            found = Unwrapped()
            if isinstance(part, str):
                found.rejections.append(Rejection(part, b"", None, offset))
            else:
                data = part.data if per_line else flat(part.data)
                found.offsets = (part.begins + part.offset).tolist()
                found.events = [
                    data[b:e] for b, e in zip(part.begins.tolist(), part.ends.tolist(), strict=True)
                ]
                if take is not None:
                    found = _taken(found, take)
                offset = part.offset + len(part.data)
            yield found


def _taken(records: Unwrapped, take: Callable[[bytes, int, Unwrapped], None]) -> Unwrapped:
    found = Unwrapped()
    for record, offset in zip(records.events, records.offsets, strict=True):
        take(record, offset, found)
    return found


def unwrap_csv(
    file: InputFile, take: Callable[[Mapping[str, str], int, Unwrapped], None]
) -> Iterator[Unwrapped]:
    """Give the fields of each row of a CSV file, with its offset, to `take`."""
    for record in csv_content.records(file):
        found = Unwrapped()
        if isinstance(record, Rejection):
            found.rejections.append(record)
        else:
            take(record.fields, record.byte_offset or 0, found)
        yield found


def parsed(record: bytes, offset: int, found: Unwrapped) -> dict[str, Any] | None:
    """Return a record as an object; what is none is rejected."""
    if isinstance(value := parsed_value(record), dict):
        return value
    found.rejections.append(Rejection(NOT_JSON, record[:EXCERPT_BYTES], None, offset))
    return None


def parsed_value(record: bytes) -> Any:
    """Return a JSON value; None where it is none. What only orjson refuses is no damage."""
    try:
        return orjson.loads(record)
    except ValueError:
        pass
    try:  # lone surrogates, bytes that are no UTF-8, numbers beyond 64 bits
        value = json.loads(record.decode("utf-8", errors="replace"))
        return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", errors="replace"))
    except (ValueError, RecursionError):
        return None


def recovered(record: bytes, *keys: str) -> dict[str, list[Any]]:
    """Return what is whole of the arrays under these keys of an object that was cut."""
    return {key: [value for value in _elements(record, key) if value is not None] for key in keys}


def _elements(record: bytes, key: str) -> Iterator[Any]:
    from kubepostmortem.sources.json_scan import Records, records

    for part in records(io.BytesIO(record), key, by_line=False):
        if isinstance(part, Records):
            for begin, end in zip(part.begins.tolist(), part.ends.tolist(), strict=True):
                yield parsed_value(part.data[begin:end])


def add_message(message: Any, server: Any, offset: int, found: Unwrapped) -> None:
    """Add the event that a log message is, under the API server that wrote it."""
    text = message.lstrip() if isinstance(message, str) else ""
    if not text.startswith("{") or '"auditID"' not in text:
        found.leave_out(NO_EVENT)
    elif text.rstrip().endswith(TRUNCATED):
        excerpt = text[:EXCERPT_BYTES].encode("utf-8", errors="replace")
        found.rejections.append(Rejection(CUT_MESSAGE, excerpt, None, offset))
    else:
        found.add(named(flat(text.encode("utf-8", errors="replace")), server), offset)


def named(event: bytes, server: Any) -> bytes:
    """Write the API server in front of an event's own fields."""
    return _front(server) + event[1:] if isinstance(server, str) and server else event


@lru_cache(maxsize=64)
def _front(server: str) -> bytes:
    return b'{"apiserver":' + orjson.dumps(server) + b","
