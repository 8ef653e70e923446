"""The metrics we know, as metrics.toml has them: what each is, tells and serves."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from kubepostmortem.assets import packaged

PARTS: Mapping[str, Sequence[str]] = {
    "counter": ("",),
    "gauge": ("",),
    "histogram": ("", "_bucket", "_sum", "_count"),  # native ones have the plain name
    "summary": ("", "_sum", "_count"),
}


@dataclass(frozen=True, slots=True)
class Metric:
    """One entry of metrics.toml, which explains the fields."""

    name: str
    kind: str
    unit: str
    labels: tuple[str, ...]
    tells: str
    questions: tuple[str, ...]
    was: tuple[str, ...] = ()
    only: str = ""
    bounds: tuple[str, ...] = ()

    @property
    def series(self) -> tuple[str, ...]:
        """Names under which its samples are kept, older ones included."""
        return tuple(name + part for name in (self.name, *self.was) for part in PARTS[self.kind])

    def selectors(self, there: Collection[str], where: str = "") -> list[str]:
        """Write the selectors (PromQL) that ask for it; there: names of series that exist.

        where: label matchers that every selector gets, like 'cluster="prod"'.
        """
        return [
            _selector(name, self.only, self._bounds(name), where)
            for name in self.series
            if name in there
        ]

    def _bounds(self, name: str) -> str:
        """Return a matcher of the bounds, which versions write as 1 or as 1.0."""
        if not self.bounds or not name.endswith("_bucket"):
            return ""
        forms = dict.fromkeys(form for b in self.bounds for form in (b, repr(float(b))))
        return f'le=~"{"|".join(forms)}"'


@cache
def metrics() -> tuple[Metric, ...]:
    """All metrics we know, by name."""
    return tuple(Metric(**_frozen(entry)) for entry in packaged("metrics.toml")["metric"])


def units() -> Mapping[str, str]:
    """Units, and what is counted in each."""
    known: Mapping[str, str] = packaged("metrics.toml")["units"]
    return known


def _selector(name: str, *matchers: str) -> str:
    given = ",".join(filter(None, matchers))
    return f"{name}{{{given}}}" if given else name


def _frozen(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(v) if isinstance(v, list) else v for key, v in entry.items()}
