"""What a localiser is given, what it answers, and the truth it is held against."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

Key = tuple[str, str, str | None]
"""Component, verb and resource of a cell; the resource of a non-resource URL is None."""

LOAD_SCHEMA = pl.Schema(
    {
        "bin": pl.Int64,
        "component": pl.String,
        "kind": pl.String,
        "verb": pl.String,
        "resource": pl.String,
        "subresource": pl.String,
        "scope": pl.String,
        "requests": pl.Float64,
        "throttled": pl.Float64,
        "failed": pl.Float64,
        "new_node_requests": pl.Float64,
        "request_s": pl.Float64,
        "unit_cost_s": pl.Float64,
        "seats": pl.Float64,
    }
)


@dataclass(frozen=True, order=True)
class Pattern:
    """Cells that move as one; None matches anything, the resource "" non-resource URLs."""

    component: str | None
    verb: str | None
    resource: str | None

    def matches(self, key: Key) -> bool:
        """Whether every part that is given is equal."""
        component, verb, resource = key
        return (
            self.component in (None, component)
            and self.verb in (None, verb)
            and self.resource in (None, resource or "")
        )


def pattern_of(key: Key) -> Pattern:
    """The pattern that matches one key alone."""
    component, verb, resource = key
    return Pattern(component, verb, resource or "")


@dataclass(frozen=True)
class Axis:
    """The bins of an incident, those of one cluster after another; one entry per bin."""

    width_s: float
    cluster: npt.NDArray[np.int64]
    baseline: npt.NDArray[np.bool_]
    overload: npt.NDArray[np.bool_]
    nodes_before: npt.NDArray[np.float64]
    nodes_joined: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Deploy:
    """Something of a component was changed at a bin."""

    component: str
    bin: int


@dataclass(frozen=True)
class Truth:
    """What was planted.

    `patterns` is empty where nothing caused an overload. `onset` is a bin, fractions allowed.
    `planted` are the keys that received growth which their counts can show. `optional` are side
    effects of the culprit itself (its own events, its own watches) that an answer may name or
    leave out. `innocents` are the components of decoy deploys.
    """

    patterns: frozenset[Pattern] = frozenset()
    onset: float | None = None
    innocents: frozenset[str] = frozenset()
    optional: frozenset[Pattern] = frozenset()
    planted: frozenset[Key] = frozenset()


@dataclass(frozen=True)
class Incident:
    """One generated incident: the evidence (load, axis, deploys), and the truth about it."""

    load: pl.DataFrame
    axis: Axis
    deploys: tuple[Deploy, ...]
    truth: Truth
    name: str
    seed: int
    overlay: str = "plain"
    hard: bool = False

    def keys(self) -> list[Key]:
        """All (component, verb, resource) that were requested, in order."""
        keys = self.load.filter(pl.col("requests") > 0)
        return keys.select("component", "verb", "resource").unique().sort(pl.all()).rows()


@dataclass(frozen=True)
class Prediction:
    """Primary causes in order of rank, and when the first began (bin, fractions allowed)."""

    patterns: tuple[Pattern, ...] = field(default=())
    onset: float | None = None


Localiser = Callable[[Incident], Prediction]
