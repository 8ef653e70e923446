"""How old a version was on the day of the incident."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from kubepostmortem.releases import newest, releases


@dataclass(frozen=True)
class Support:
    """The age of a minor version on a day.

    supported: by the Kubernetes project; None: the release is newer than what we know. behind:
    minor versions between it and the newest release of that day. checked: whether the dates were
    looked up in a source.
    """

    minor: int
    day: date
    released: date | None
    end_of_life: date | None
    supported: bool | None
    behind: int | None
    checked: bool = True

    @property
    def days_past(self) -> int | None:
        """Days since the end of life; None: it was not past it, or nobody knows."""
        if self.supported is not False or self.end_of_life is None:
            return None
        return (self.day - self.end_of_life).days

    @property
    def facts(self) -> dict[str, Any]:
        """All of it as plain data."""
        dates = {name: getattr(self, name) for name in ("day", "released", "end_of_life")}
        told = {name: value.isoformat() if value else None for name, value in dates.items()}
        return asdict(self) | told | {"days_past": self.days_past}


def support(minor: int, day: date) -> Support:
    """Look up a minor version; one before all that we know is out of support."""
    release, latest = releases().get(minor), newest(day)
    behind = max(0, latest.minor - minor) if latest else None
    if release is None:
        old = minor < min(releases())
        return Support(minor, day, None, None, False if old else None, behind if old else None)
    return Support(
        minor,
        day,
        release.released,
        release.end_of_life,
        release.supported(day),
        behind,
        release.checked,
    )
