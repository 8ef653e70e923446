"""Audit events in batches: EventLists of the webhook backend, JSON arrays, pretty documents."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kubepostmortem.sources.audit_events import Part, load_events
from kubepostmortem.sources.audit_log import BEGINS_EVENT, apiserver_of
from kubepostmortem.sources.audit_pieces import write
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.source import Numbered, Reading, Target
from kubepostmortem.sources.spool import Spool
from kubepostmortem.sources.unwrapping import unwrap

name = "audit.k8s.io EventList"
describes = "Audit events in EventLists (webhook backend), JSON arrays or pretty-printed documents"

OF_AUDIT = re.compile(r'"apiVersion"\s*:\s*"audit\.k8s\.io/')
LISTED = re.compile(r'"kind"\s*:\s*"EventList"|"auditID"\s*:')


def recognises(file: InputFile) -> bool:
    """An object or array that names the audit API; single events per line are another format."""
    begins = file.text.lstrip()[:1]
    whole_line = any(record.get("kind") == "Event" for record in file.records)
    per_line = begins == "{" and (whole_line or BEGINS_EVENT.match(file.text))
    audit = OF_AUDIT.search(file.text) and LISTED.search(file.text)
    return begins in ("{", "[") and not per_line and audit is not None


def load(batch: Sequence[Numbered], target: Target) -> list[Reading]:
    """Take the events out of their lists, and load them as lines."""
    return load_events(batch, target, _cut, apiserver=lambda file: apiserver_of(file.path))


def _cut(file: InputFile, spool: Spool) -> Iterator[Part]:
    return write(unwrap(file, "items"), spool)
