"""Time windows of an incident: half-open, UTC, frozen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kubepostmortem.errors import UsageError


def utc(text: str) -> datetime:
    """Read an ISO 8601 time with a zone; return it as naive UTC, as the database keeps it.

    Raises UsageError where the zone is missing: a guessed zone moves an incident by hours.
    """
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError) as wrong:
        raise UsageError(f"not an ISO 8601 time: {text!r}") from wrong
    raise UsageError(f"time without a zone: {text!r}; write it like 2024-12-11T22:51:00Z")


def known_zone(name: str) -> str:
    """Return the IANA name of a time zone as it is. Raises UsageError where there is none."""
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as wrong:
        raise UsageError(f"no such time zone: {name!r}; write it like Europe/Berlin") from wrong


def iso(moment: datetime) -> str:
    """Write a naive UTC time as ISO 8601 with its zone, to the microsecond only where needed."""
    return moment.isoformat() + "Z"


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time, [begins_at, ends_at), naive UTC."""

    begins_at: datetime
    ends_at: datetime

    def __post_init__(self) -> None:
        if self.begins_at >= self.ends_at:
            raise UsageError(f"window ends before it begins: {self}")

    @classmethod
    def parse(cls, text: str) -> Window:
        """Read BEGIN/END, the interval notation of ISO 8601."""
        begins, slash, ends = text.partition("/")
        if not slash:
            raise UsageError(f"not a window: {text!r}; write BEGIN/END, two times with their zone")
        return cls(utc(begins), utc(ends))

    @property
    def length(self) -> timedelta:
        """How long the window is."""
        return self.ends_at - self.begins_at

    def __str__(self) -> str:
        return f"{iso(self.begins_at)}/{iso(self.ends_at)}"
