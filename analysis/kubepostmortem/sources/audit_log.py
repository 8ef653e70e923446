"""Audit logs of the API server as its log backend writes them: one JSON event per line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from kubepostmortem.sources.audit_events import Part, load_events
from kubepostmortem.sources.audit_in_place import in_place
from kubepostmortem.sources.audit_pieces import cut
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.source import Numbered, Reading, Target
from kubepostmortem.sources.spool import Spool

name = "audit.k8s.io/v1 lines"
describes = "Audit log of the API server (--audit-log-path), JSON lines, rotated or not"

BEGINS_EVENT = re.compile(r'\s*\{"kind":"Event","apiVersion":"audit\.k8s\.io/v1')


def recognises(file: InputFile) -> bool:
    """An event on a line of its own; where no line of the head is whole, an event's beginning."""
    if file.text.lstrip().startswith("["):
        return False  # an array with an event per line
    if any(record.get("kind") == "Event" and "auditID" in record for record in file.records):
        return True
    return not file.records and BEGINS_EVENT.match(file.text) is not None


def load(batch: Sequence[Numbered], target: Target) -> list[Reading]:
    """Read events, fold the stages of a request into one row, and count every line."""

    def pieces(file: InputFile, spool: Spool) -> Iterator[Part]:
        return cut(file, spool) if file.packed or target.careful else in_place(file, spool)

    return load_events(batch, target, pieces, apiserver=lambda file: apiserver_of(file.path))


def apiserver_of(path: Path) -> str:
    """Name the API server instance where the path tells it: API-SERVER/NODE-audit.log.

    Rotated files of one instance must get one name, so the stamp in a file's name is no part of it.
    """
    folder = path.parent.name
    node = re.match(r"(.+?)-audit(-[0-9T.:-]+)?\.log", path.name)
    return f"{folder}/{node[1]}" if folder.endswith("-apiserver") and node else ""
