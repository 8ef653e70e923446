"""Groups of callers that a replay tells apart, and how long each waits for an answer."""

from __future__ import annotations

from dataclasses import dataclass

from kubepostmortem.assets import packaged

CULPRIT = "culprit"
TRIES = 10  # after a 429: as often as the Kubernetes client library asks again


@dataclass(frozen=True, slots=True)
class CallerGroup:
    """A group of callers; patience_s: after which an answer comes too late."""

    name: str
    patience_s: float
    why: str


def caller_groups() -> tuple[CallerGroup, ...]:
    """Return all groups, in the order of reports."""
    return tuple(CallerGroup(**known) for known in packaged("simulation/callers.toml")["group"])
