"""Releases of Kubernetes, as releases.toml has them: dates, skew, builds, protective features."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from kubepostmortem.assets import packaged

VERSION = re.compile(r"v?1\.(?P<minor>\d{1,3})(?:\.(?P<patch>\d{1,3}))?(?P<suffix>.*)", re.DOTALL)
DIRTY = "dirty"
AFTER_TAG = re.compile(r"(?:-\w+\.\d+)?[-.](?P<commits>\d+)[-+]g?[0-9a-f]{7,40}(?:-dirty)?")
PRE_RELEASE = re.compile(r"-(?:alpha|beta|rc)\.\d+")


@dataclass(frozen=True, slots=True)
class Release:
    """One minor version; end_of_life: of support by the Kubernetes project, the day included."""

    minor: int
    released: date
    end_of_life: date
    checked: bool = True

    def supported(self, day: date) -> bool:
        """Tell whether the Kubernetes project supports it on a day."""
        return day <= self.end_of_life


@dataclass(frozen=True, slots=True)
class Skew:
    """How many minor versions a program may be older or newer than an API server."""

    older: int
    newer: int


@dataclass(frozen=True, slots=True)
class Feature:
    """One entry of releases.toml, which explains the fields."""

    id: str
    name: str
    kind: str
    stages: Mapping[int, str]
    helps: str
    source: str
    gate: str | None = None
    flag: str | None = None
    side: str = "server"
    needs: str | None = None
    circumstance: str | None = None
    note: str = ""
    checked: bool = True

    def stage(self, minor: int) -> str | None:
        """Return "off", "on" or "always" in a version; None: it does not have the feature."""
        reached = [since for since in self.stages if since <= minor]
        return self.stages[max(reached)] if reached else None

    def on_since(self, minor: int | None = None) -> int | None:
        """Return the minor version since which it is on, as of a version or as of the latest.

        What was switched off again in between does not count; None: it is off.
        """
        since = None
        for reached in sorted(self.stages):
            if minor is not None and reached > minor:
                break
            on = self.stages[reached] != "off"
            since = (since or reached) if on else None
        return since


@dataclass(frozen=True, slots=True)
class Build:
    """What the version of a program tells of who built it.

    distribution: who names itself; commits_after_tag: changes since the release it is based on;
    unknown_suffix: what follows the number and is of nobody that we know.
    """

    minor: int
    patch: int | None
    distribution: str | None = None
    pre_release: bool = False
    commits_after_tag: int = 0
    dirty: bool = False
    unknown_suffix: str | None = None

    @property
    def as_released(self) -> bool:
        """Whether the version is a patch release of the Kubernetes project and nothing else."""
        return self.patch is not None and self == Build(self.minor, self.patch)


@cache
def releases() -> Mapping[int, Release]:
    """All releases we know, by minor version, in order."""
    known = (Release(**entry) for entry in packaged("releases.toml")["release"])
    return {release.minor: release for release in known}


@cache
def features() -> Mapping[str, Feature]:
    """All features we know, by id."""
    return {
        entry["id"]: Feature(**entry | {"stages": {int(m): s for m, s in entry["stages"].items()}})
        for entry in packaged("releases.toml")["feature"]
    }


def circumstances() -> Mapping[str, str]:
    """Circumstances in which features matter, and what is counted of each."""
    known: Mapping[str, str] = packaged("releases.toml")["circumstances"]
    return known


def kinds() -> Mapping[str, str]:
    """Kinds of features, and what each is about."""
    known: Mapping[str, str] = packaged("releases.toml")["kinds"]
    return known


def newest(day: date) -> Release | None:
    """Return the newest release of a day; None: the day is before all that we know."""
    out = [release for release in releases().values() if release.released <= day]
    return out[-1] if out else None


def skew(program: str, minor: int) -> Skew | None:
    """Return how far a program of this version may be from API servers; None: no rule is known.

    Source: https://kubernetes.io/releases/version-skew-policy
    """
    rules = [
        Skew(entry["older"], entry["newer"])
        for entry in packaged("releases.toml")["skew"]
        if program in entry["programs"] and entry.get("from", 0) <= minor
    ]
    return rules[-1] if rules else None


@cache
def parse_version(text: str) -> Build | None:
    """Read a version of Kubernetes, like v1.30.4-eks-a737599; None: it is none."""
    found = VERSION.fullmatch(text.strip())
    if found is None:
        return None
    patch = int(found["patch"]) if found["patch"] else None
    return _build(int(found["minor"]), patch, found["suffix"])


def _build(minor: int, patch: int | None, suffix: str) -> Build:
    dirty = suffix.endswith(f"-{DIRTY}") or suffix.endswith(f"+{DIRTY}")
    rest = suffix.removesuffix(f"-{DIRTY}").removesuffix(f"+{DIRTY}")
    if rest in ("", "+"):
        return Build(minor, patch, dirty=dirty)
    if PRE_RELEASE.fullmatch(rest):
        return Build(minor, patch, pre_release=True, dirty=dirty)
    if described := AFTER_TAG.fullmatch(rest):
        commits = int(described["commits"])
        return Build(minor, patch, commits_after_tag=commits, dirty=dirty)
    name = _distribution(rest)
    return Build(minor, patch, name, dirty=dirty, unknown_suffix=None if name else rest)


def _distribution(suffix: str) -> str | None:
    entries: Sequence[Mapping[str, str]] = packaged("releases.toml")["distribution"]
    return next((e["name"] for e in entries if re.fullmatch(e["suffix"], suffix)), None)
