"""Audit logs in the legacy text format (--audit-log-format=legacy), one line per stage."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from kubepostmortem.sources.audit_events import Part, load_events
from kubepostmortem.sources.audit_log import apiserver_of
from kubepostmortem.sources.audit_pieces import Unwrapped, line_blocks, write
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.source import EXCERPT_BYTES, Numbered, Reading, Rejection, Target
from kubepostmortem.sources.spool import Spool

name = "legacy audit text"
describes = "Audit log of old API servers in the text format: --audit-log-format=legacy"

LINE = re.compile(r'(?P<stamp>\d{4}-\d\d-\d\dT\S+) AUDIT: (?P<pairs>id="[^\n]*)')
PAIR = re.compile(r'([a-z-]+)="((?:[^"\\]|\\.)*)"')
CODE = re.compile(r"[0-9]{1,3}")
NOTHING = ("<none>", "<self>", "<lookup>", "<deferred>")
NO_LINE = "no legacy audit line"
MISSING = (
    "lines name no resource but in the URL, and one time each: a request is taken as received "
    "when its first stage was logged"
)


def recognises(file: InputFile) -> bool:
    """A first line with a time, the word AUDIT and an id."""
    return LINE.match(file.text) is not None


def load(batch: Sequence[Numbered], target: Target) -> list[Reading]:
    """Read each line as the event of one stage."""
    return load_events(
        batch, target, _cut, apiserver=lambda file: apiserver_of(file.path), note=MISSING
    )


def _cut(file: InputFile, spool: Spool) -> Iterator[Part]:
    return write(_events(file), spool)


def _events(file: InputFile) -> Iterator[Unwrapped]:
    """A loop over lines: the format died with Kubernetes 1.11, and its logs are small."""
    received: dict[str, str] = {}
    for block in line_blocks(file):
        if isinstance(block, Rejection):
            yield Unwrapped(rejections=[block])
            continue
        data, first, offset = block
        for number, line in enumerate(io.BytesIO(data), start=first):
            if line.strip():
                yield _event(line, number, offset, received)
            offset += len(line)


def _event(line: bytes, number: int, offset: int, received: dict[str, str]) -> Unwrapped:
    found = Unwrapped()
    text = LINE.match(line.decode("utf-8", errors="replace"))
    pairs = dict(PAIR.findall(text["pairs"])) if text else {}
    if text is None or "id" not in pairs:
        found.rejections.append(Rejection(NO_LINE, line[:EXCERPT_BYTES], number, offset))
        return found
    stamp = received.setdefault(pairs["id"], text["stamp"])
    found.add(orjson.dumps(_fields(pairs, stamp, text["stamp"])), offset)
    return found


def _fields(pairs: dict[str, str], received: str, stamp: str) -> dict[str, Any]:
    told = {key: value for key, value in pairs.items() if value not in NOTHING}
    code = told.get("response", "")
    return {
        "auditID": pairs["id"],
        "stage": told.get("stage"),
        "requestReceivedTimestamp": received,
        "stageTimestamp": stamp,
        "verb": told.get("method", "").lower(),
        "requestURI": told.get("uri"),
        "user": {"username": told.get("user"), "groups": _groups(told.get("groups", ""))},
        "impersonatedUser": {"username": told["as"]} if "as" in told else None,
        "sourceIPs": [told["ip"]] if "ip" in told else None,
        "userAgent": told.get("user-agent"),
        "objectRef": _reference(told.get("uri", ""), told.get("namespace")),
        "responseStatus": {"code": int(code)} if CODE.fullmatch(code) else None,
    }


def _groups(text: str) -> list[str]:
    return re.findall(r'\\"((?:[^"\\]|\\\\.)*)\\"', text)


RESOURCE = re.compile(
    r"/(?:api|apis/(?P<group>[^/?]+))/(?P<version>[^/?]+)"
    r"(?:/namespaces/(?P<namespace>[^/?]+)(?=/))?"
    r"/(?P<resource>[^/?]+)(?:/(?P<name>[^/?]+))?(?:/(?P<subresource>[^?]+))?"
)


def _reference(uri: str, namespace: str | None) -> dict[str, str] | None:
    found = RESOURCE.match(uri)
    if found is None:
        return None
    parts = {
        "apiGroup": found["group"],
        "apiVersion": found["version"],
        "resource": found["resource"],
        "namespace": found["namespace"] or namespace,
        "name": found["name"],
        "subresource": found["subresource"],
    }
    return {key: value for key, value in parts.items() if value}
