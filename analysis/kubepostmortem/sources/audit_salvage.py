"""Audit events in lines that are no JSON object by themselves.

Logs that were concatenated, shipped and edited hold lines with two events (no line end at the
join), a byte order mark, blocks of zeros (power loss), a prefix of the log shipper, or bytes that
are no UTF-8. The events in them are sound.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

BLANK = "\ufeff\0 \t\r\n"
DECODER = json.JSONDecoder()


def salvaged(line: bytes) -> tuple[list[bytes], bytes]:
    """Return the events in a line as JSON texts, and what is left over of it (b"": nothing)."""
    text = line.decode("utf-8", errors="replace").strip(BLANK)
    events: list[bytes] = []
    position = max(text.find('{"'), 0)  # prefixes of log shippers have braces too
    while position < len(text):
        try:
            value, position = DECODER.raw_decode(text, position)
        except (ValueError, RecursionError):
            return events, text[position:].encode() if events else line
        found = list(_events(value))
        if not found:
            return events, line
        events += found
        while position < len(text) and text[position] in BLANK:
            position += 1
    return (events, b"") if events else ([], line)


def _events(value: Any) -> Iterator[bytes]:
    """An event, or those of an EventList."""
    if not isinstance(value, dict):
        return
    listed = value.get("items") if value.get("kind") == "EventList" else [value]
    for event in listed if isinstance(listed, list) else ():
        if isinstance(event, dict) and "auditID" in event:
            yield json.dumps(event, ensure_ascii=False).encode("utf-8", errors="replace")
