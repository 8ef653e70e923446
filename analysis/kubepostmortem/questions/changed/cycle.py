"""What one round of one client asks for: objects and bytes, and how often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kubepostmortem.questions.question import Inquiry
from kubepostmortem.questions.reading import Pace, Shape

# The metric names a group on newer servers alone. The largest of several clusters.
SIZES = """
select split_part(resource, '.', 1) as resource, max(answer_bytes) as answer_bytes,
    max(objects_bytes) as object_bytes
from (
    select resource, answer_bytes, null as objects_bytes from list_sizes
    union all
    select resource, null, nullif(object_bytes, 0) from stored_objects
)
where split_part(resource, '.', 1) = any($resources)
group by all
order by resource
"""


@dataclass(frozen=True)
class Cycle:
    """One round of one client: a request for each resource.

    objects: how many it asks for (None: unknown); stored_bytes: their size as stored; sent_bytes:
    the size of the answers as sent; interval_s: time between two rounds; clients: how many there
    are; offered_rps: requests per second that they send while all are answered in time.
    """

    resources: tuple[str, ...]
    objects: float | None
    stored_bytes: float | None
    sent_bytes: float | None
    interval_s: float | None
    clients: int
    offered_rps: float | None

    @property
    def objects_per_s(self) -> float | None:
        """Objects per second that all clients ask for together."""
        if self.objects is None or not self.interval_s:
            return None
        return self.clients * self.objects / self.interval_s


def cycle(inquiry: Inquiry, shapes: Sequence[Shape], paces: Sequence[Pace], clients: int) -> Cycle:
    """Sum a round over the resources of which whole lists are asked for."""
    whole = [one for one in shapes if one.without_limit > 0.5 and one.without_selector > 0.5]
    whole = [one for one in whole if one.one_object < 0.5 and one.resource]
    names = [str(one.resource) for one in whole]
    rows = inquiry.rows("sizes of what is listed", SIZES, resources=names) if names else []
    sizes = {row["resource"]: row for row in rows}
    counted = [one.objects for one in whole]
    stored = [
        one.objects * size if one.objects is not None and size else None
        for one in whole
        for size in [sizes.get(str(one.resource), {}).get("object_bytes")]
    ]
    intervals = {pace.resource: pace.interval_s for pace in paces if pace.interval_s > 0}
    return Cycle(
        resources=tuple(names),
        objects=_sum(counted),
        stored_bytes=_sum(stored),
        sent_bytes=_sum([sizes.get(name, {}).get("answer_bytes") for name in names]),
        interval_s=_median(list(intervals.values())),
        clients=clients,
        offered_rps=clients * sum(1 / one for one in intervals.values()) if intervals else None,
    )


def _sum(values: Sequence[float | None]) -> float | None:
    """Sum what is known of all; None where one is unknown."""
    known = [float(value) for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None


def _median(values: Sequence[float]) -> float | None:
    return sorted(values)[len(values) // 2] if values else None
