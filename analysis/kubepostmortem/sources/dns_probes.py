"""DNS probes: one lookup per row, recorded by a client that asks the DNS servers in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kubepostmortem.sources import csv_content
from kubepostmortem.sources.content import Unusable, plain, tabulate
from kubepostmortem.sources.documents import Contents, load_documents
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.source import Numbered, Reading, Target
from kubepostmortem.sources.times import moment

name = "DNS probes"
describes = "Recorded DNS lookups, CSV with time,server,qname,outcome,rcode,answers,ms"

NEEDED = frozenset({"time", "server", "qname", "outcome"})


def recognises(file: InputFile) -> bool:
    """A header line with the columns that a probe cannot do without."""
    return NEEDED.issubset(csv_content.columns(file.text))


def load(batch: Sequence[Numbered], target: Target) -> list[Reading]:
    """Add the lookups that are not known yet."""
    return load_documents(read, batch, target)


def read(file: InputFile, target: Target) -> Contents:
    """Read one row of dns_probes per lookup."""
    return tabulate(csv_content.records(file), "dns_probes", _probe, dated_by="probed_at")


def _probe(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "probed_at": moment(fields.get("time", "")),
        "server": plain(fields.get("server")),
        "qname": plain(fields.get("qname")),
        "outcome": plain(fields.get("outcome")),
        "rcode": plain(fields.get("rcode")),
        "answers": plain(fields.get("answers")),
        "latency_ms": _milliseconds(plain(fields.get("ms"))),
    }


def _milliseconds(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError as wrong:
        raise Unusable("ms is not a number") from wrong
