"""What became of the records of one file of audit events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from kubepostmortem.sources.audit_merge import Tally
from kubepostmortem.sources.content import remarks
from kubepostmortem.sources.ledger import keep_rejections
from kubepostmortem.sources.source import Reading, Rejection, Target


@dataclass
class Count:
    """What became of the records of one file, so far."""

    lines: int = 0
    loaded: int = 0
    duplicates: int = 0
    filtered: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    times: list[datetime] = field(default_factory=list)

    def add(self, tally: Tally) -> None:
        """Count the events of a piece."""
        self.lines += tally.usable
        self.loaded += tally.usable - tally.duplicates
        self.duplicates += tally.duplicates
        self.times += [at for at in (tally.first_at, tally.last_at) if at is not None]

    def leave_out(self, filtered: Mapping[str, int]) -> None:
        """Count records that are no audit events."""
        self.lines += sum(filtered.values())
        self.filtered.update(filtered)

    def reject(self, found: Sequence[Rejection], ingest_id: int, target: Target) -> None:
        """Count rejected records, and keep them."""
        keep_rejections(found, ingest_id, target)
        self.lines += len(found)
        self.rejected.update(rejection.reason for rejection in found)

    def reading(self, note: str | None) -> Reading:
        """Return the count as the ledger wants it."""
        left_out = ", ".join(f"{n:,} {what}" for what, n in sorted(self.filtered.items()))
        return Reading(
            lines=self.lines,
            loaded=self.loaded,
            duplicates=self.duplicates,
            filtered=self.filtered.total(),
            kept=self.rejected,
            first_at=min(self.times, default=None),
            last_at=max(self.times, default=None),
            notes=remarks(note, f"left out: {left_out}" if left_out else None),
        )
