"""CloudWatch Logs that were exported to S3: per line a time, one blank, and the message."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kubepostmortem.sources.audit_events import Part, load_events
from kubepostmortem.sources.audit_pieces import cut
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.source import Numbered, Reading, Target
from kubepostmortem.sources.spool import Spool

name = "EKS CloudWatch export"
describes = "EKS audit logs in S3: aws logs create-export-task, folders of .gz files per stream"

STAMP = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z "
STAMPED_EVENT = re.compile(STAMP.decode() + r'\{(?=[^\n]*"(?:auditID|audit\.k8s\.io)|[^\n]{65000})')

STAMPS = re.compile(rb"^" + STAMP + rb"(?=\{)", re.MULTILINE)


def recognises(file: InputFile) -> bool:
    """A first line that is a time and an audit event."""
    return STAMPED_EVENT.match(file.text) is not None


def load(batch: Sequence[Numbered], target: Target) -> list[Reading]:
    """Load the events behind the times; the folder is named after the stream, one API server."""
    return load_events(batch, target, _cut, apiserver=lambda file: file.path.parent.name)


def _cut(file: InputFile, spool: Spool) -> Iterator[Part]:
    return cut(file, spool, blank=STAMPS)
