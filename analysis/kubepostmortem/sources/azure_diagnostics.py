"""Diagnostic logs of AKS: in a storage account, from an event hub, or streamed on from there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from kubepostmortem.sources.audit_events import Part, load_events
from kubepostmortem.sources.audit_pieces import Unwrapped, write
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.source import Numbered, Reading, Target
from kubepostmortem.sources.spool import Spool
from kubepostmortem.sources.unwrapping import add_message, parsed, unwrap

name = "AKS diagnostic logs"
describes = "AKS audit logs: PT1H.json of a storage account, records of an event hub"

RECORD = re.compile(r'"(?:category|Category)"\s*:\s*"')
AUDIT = ("kube-audit", "kube-audit-admin")


def recognises(file: InputFile) -> bool:
    """Records with a category of AKS, alone or under `records`, and properties."""
    text = file.text
    properties = '"properties"' in text or '"Properties"' in text
    begins = text.lstrip()[:1] in ("{", "[")
    return begins and properties and RECORD.search(text) is not None and _of_kubernetes(text)


def _of_kubernetes(text: str) -> bool:
    return bool(
        re.search(r"kube-[a-z]|managedClusters/|MANAGEDCLUSTERS/|cluster-autoscaler|guard", text)
    )


def load(batch: Sequence[Numbered], target: Target) -> list[Reading]:
    """Load the events in the records of the audit categories; a pod is one API server."""
    return load_events(batch, target, _cut)


def _cut(file: InputFile, spool: Spool) -> Iterator[Part]:
    return write(unwrap(file, "records", _record), spool)


def _record(record: bytes, offset: int, found: Unwrapped) -> None:
    fields = parsed(record, offset, found)
    if fields is None:
        return
    category = fields.get("category", fields.get("Category"))
    if category not in AUDIT:
        found.leave_out("records of other categories")
        return
    properties = _properties(fields)
    add_message(properties.get("log"), properties.get("pod"), offset, found)


def _properties(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """The properties; some pipelines write them as text."""
    properties = fields.get("properties", fields.get("Properties"))
    if isinstance(properties, str):
        try:
            properties = orjson.loads(properties)
        except ValueError:
            return {}
    return properties if isinstance(properties, dict) else {}
