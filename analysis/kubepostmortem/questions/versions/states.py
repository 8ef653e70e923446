"""Which protective features an API server had, lacked, or had switched off, and which mattered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from kubepostmortem.questions.versions.switches import Switches
from kubepostmortem.releases import Feature, features

Name = Literal[
    "always on",
    "on by default",
    "on by flag",
    "off by flag",
    "off by default",
    "not in this version",
]
Here = Literal["missed", "in use", "not needed", "not known", "not judged"]

ON: Sequence[Name] = ("always on", "on by default", "on by flag")
ORDER: Sequence[Here] = ("missed", "in use", "not known", "not needed", "not judged")


@dataclass(frozen=True)
class State:
    """A feature as a cluster had it.

    here: missed (it was off or absent, and what it helps with happened), in use (it was on, and
    that happened), not needed, not known (nobody measured whether it happened), not judged.
    times: how often that happened. without: the feature that it needs and that was off.
    """

    feature: Feature
    state: Name
    why: str
    here: Here
    times: int | None
    without: str | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """All of it as plain data."""
        told = self.feature
        return {
            "feature": told.id,
            "name": told.name,
            "kind": told.kind,
            "side": told.side,
            "gate": told.gate,
            "on_since": f"1.{told.on_since()}" if told.on_since() else None,
            "state": self.state,
            "why": self.why,
            "here": self.here,
            "circumstance": told.circumstance,
            "times": self.times,
            "without": self.without,
            "helps": told.helps,
            "source": told.source,
            "note": told.note,
            "checked": told.checked,
        }


def states(
    server: int, kubelet: int | None, switches: Switches, happened: Mapping[str, int]
) -> list[State]:
    """Judge every feature, those that were missed first.

    server, kubelet: the oldest minor version of each; happened: circumstances and how often.
    """
    found: dict[str, State] = {}
    for feature in features().values():
        minor = server if feature.side == "server" else kubelet
        if minor is not None:
            found[feature.id] = _state(feature, minor, switches, happened, found)
    ranked = list(found.values())
    return sorted(ranked, key=lambda one: ORDER.index(one.here))


def _state(
    feature: Feature,
    minor: int,
    switches: Switches,
    happened: Mapping[str, int],
    found: Mapping[str, State],
) -> State:
    state, why = _named(feature, minor, switches)
    needed = found.get(feature.needs or "")
    if needed is not None and needed.state not in ON:
        why = f"{why}; without {needed.feature.name} it does nothing"
        return State(feature, state, why, "not judged", None, needed.feature.id)
    times = happened.get(feature.circumstance or "")
    return State(feature, state, why, _here(feature, state, times), times)


def _named(feature: Feature, minor: int, switches: Switches) -> tuple[Name, str]:
    stage = feature.stage(minor)
    if stage is None:
        return "not in this version", f"on since 1.{feature.on_since()}"
    switched = switches.of(feature, always=stage == "always")
    by_default = stage != "off"
    if switched is not None and switched.on != by_default:
        return ("on by flag" if switched.on else "off by flag"), switched.why
    if stage == "always":
        return "always on", f"since 1.{_since(feature, 'always')}"
    if by_default:
        return "on by default", f"since 1.{feature.on_since(minor)}"
    later = feature.on_since()
    return "off by default", f"on since 1.{later}" if later else "off in all versions"


def _since(feature: Feature, stage: str) -> int:
    return next(minor for minor, named in feature.stages.items() if named == stage)


def _here(feature: Feature, state: Name, times: int | None) -> Here:
    if feature.circumstance is None:
        return "not judged"
    if times is None:
        return "not known"
    if not times:
        return "not needed"
    return "in use" if state in ON else "missed"
