"""What the evidence says to one hypothesis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

from kubepostmortem.questions.question import Missing

Status = Literal["supported", "contradicted", "not testable"]

PROBES = Missing(
    "lookups by probing clients (dns_probes.csv)",
    "ingest a CSV file with time,server,qname,outcome,rcode,answers,ms of a prober such as "
    "blackbox_exporter or dnsperf",
)
METRICS = Missing("metrics of the DNS servers", "kubepostmortem collect --question dns")
CACHES = Missing(
    "coredns_cache_hits_total and coredns_cache_requests_total",
    "kubepostmortem collect --question dns",
)


@dataclass(frozen=True)
class Verdict:
    """A hypothesis, whether it holds, the numbers that decide, and what would have."""

    id: str
    says: str
    status: Status
    finding: str
    numbers: Mapping[str, Any] = field(default_factory=dict)
    missing: Sequence[Missing] = ()

    @property
    def facts(self) -> dict[str, Any]:
        """Plain data, for machines."""
        return asdict(self)


def clock(moment: datetime) -> str:
    """Write the time of day, to the second, UTC: a table names the date elsewhere."""
    return f"{moment:%H:%M:%S}"
