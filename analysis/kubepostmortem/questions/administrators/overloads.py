"""An overload that API Priority and Fairness cannot save from, and what tells of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from kubepostmortem.questions.question import Inquiry

Status = Literal["overloaded", "strained", "not seen", "not testable"]

HEALTH = """
select * exclude (cluster), cluster from process_health
order by cluster, metric, process, instance, time_window
"""


@dataclass(frozen=True)
class Overload:
    """One kind of overload: its status, a sentence that says by what, and the numbers.

    strained: much more than in the baseline, but nothing tells that it reached a limit.
    """

    what: str
    status: Status
    says: str
    numbers: dict[str, float | int | None] = field(default_factory=dict)

    @property
    def facts(self) -> dict[str, Any]:
        """Plain data, for machines; numbers with the digits that any order of adding up gives."""
        told = {
            name: float(f"{value:.9g}") if isinstance(value, float) else value
            for name, value in self.numbers.items()
        }
        return asdict(self) | {"numbers": told}


@dataclass(frozen=True)
class Reading:
    """A number of one process in the baseline (None: unknown) and in the overload."""

    before: float | None
    now: float

    @property
    def factor(self) -> float | None:
        """How many times as much it is in the overload."""
        return self.now / self.before if self.before else None

    def grew(self, times: float) -> bool:
        """Tell whether it is at least so many times as much."""
        return self.factor is not None and self.factor >= times


@dataclass(frozen=True)
class Health:
    """Rows of process_health."""

    rows: Sequence[dict[str, Any]]

    def read(self, metric: str, column: str, process: str = "API server") -> Reading | None:
        """Return a column of the process that has most of it in the overload; None: no samples."""
        found: dict[tuple[str, str], dict[str, float]] = {}
        for row in self.rows:
            if (row["metric"], row["process"]) == (metric, process) and row[column] is not None:
                windows = found.setdefault((row["cluster"], row["instance"]), {})
                windows[row["time_window"]] = float(row[column])
        readings = [
            Reading(w.get("baseline"), w["overload"]) for w in found.values() if "overload" in w
        ]
        return max(readings, key=lambda one: one.now, default=None)

    def per(self, metric: str, process: str = "API server") -> Reading | None:
        """Return the mean of a histogram: gain of its sum per gain of its count."""
        summed = self.read(f"{metric}_sum", "gained", process)
        count = self.read(f"{metric}_count", "gained", process)
        if summed is None or count is None or not count.now:
            return None
        before = (
            summed.before / count.before if summed.before is not None and count.before else None
        )
        return Reading(before, summed.now / count.now)


def health(inquiry: Inquiry) -> Health:
    """Look up how API servers and etcd fared."""
    return Health(inquiry.rows("API servers and etcd in the two windows", HEALTH))


def not_testable(what: str, metric: str) -> Overload:
    """Say that the metric which would tell of an overload is missing."""
    return Overload(what, "not testable", f"Not testable: metric {metric} missing.")
