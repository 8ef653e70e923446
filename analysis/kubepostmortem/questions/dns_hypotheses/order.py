"""The order of events: what came first, how long after the overload began, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kubepostmortem.incident import iso
from kubepostmortem.questions.dns_hypotheses.cliffs import Fitted, first_fall
from kubepostmortem.questions.dns_hypotheses.facts import Facts


@dataclass(frozen=True)
class Moment:
    """An event between two times; where both are the same it is exact.

    lag_s: seconds from the beginning of the overload to the later of both.
    """

    event: str
    where: str
    not_before_at: datetime
    not_after_at: datetime
    lag_s: float

    @property
    def facts(self) -> dict[str, Any]:
        """Plain data, for machines."""
        return {
            "event": self.event,
            "where": self.where,
            "not_before_at": iso(self.not_before_at),
            "not_after_at": iso(self.not_after_at),
            "lag_s": self.lag_s,
        }


def order(one: Facts, found: Sequence[Fitted]) -> list[Moment]:
    """Put the events of one cluster in order."""
    moments = [
        Moment(event, where, early or late, late, (late - one.overload_at).total_seconds())
        for event, where, early, late in _events(one, found)
        if late is not None
    ]
    return sorted(moments, key=lambda m: (m.not_after_at, m.event, m.where))


Event = tuple[str, str, datetime | None, datetime | None]


def _events(one: Facts, found: Sequence[Fitted]) -> Iterator[Event]:
    step = timedelta(seconds=one.interval_s)
    yield "API overload begins", "", one.overload_at - step, one.overload_at
    yield "API overload ends", "", one.ends_at - step, one.ends_at
    yield from _pods(one)
    for start in one.restarted:
        yield "DNS process starts", start["server"], start["not_before_at"], start["not_after_at"]
    for row in one.scrapes:
        if row["failed"]:
            yield "DNS server not scraped", row["server"], None, row["first_failed_at"]
    yield from _lookups(one)
    yield from _counted(one)
    fall = first_fall(found)
    if fall is not None:
        low, high = fall.bounds
        yield f"share of {fall.share} begins to fall", "", low, high or fall.began_at


def _pods(one: Facts) -> Iterator[Event]:
    for pod in one.deleted:
        yield "DNS pod deleted", pod["pod"], None, pod["deleted_at"]
    for pod in one.placed:
        if pod["bound_at"] < one.ends_at:
            yield "DNS pod placed", pod["pod"], None, pod["bound_at"]
            yield "DNS pod has read its objects", pod["pod"], None, pod["synced_at"]


def _lookups(one: Facts) -> Iterator[Event]:
    """First failure of each server, and the answer after its last outage."""
    for row in one.failing:
        mine = [out for out in one.outages if out["server"] == row["server"]]
        if mine:
            first, last = mine[0], mine[-1]
            before = first["last_answer_at"]
            yield "lookups begin to fail", row["server"], before, first["began_at"]
            yield "lookups are answered again", row["server"], None, last["next_answer_at"]


def _counted(one: Facts) -> Iterator[Event]:
    for name, event in (
        ("SERVFAIL answers", "DNS server answers SERVFAIL"),
        ("failed API requests", "API requests of a DNS server fail"),
    ):
        for row in one.counted:
            if row["counted"] == name and row["first_at"]:
                yield event, row["server"], one.overload_at, row["first_at"]
