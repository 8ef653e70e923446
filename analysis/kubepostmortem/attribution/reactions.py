"""Reactions: which growth is known to bring about which other growth, by reactions.toml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import polars as pl

from kubepostmortem.assets import packaged
from kubepostmortem.attribution.axis import Flags

LISTS = ("components", "kinds", "verbs", "resources")


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """What takes part in a reaction: a cell fits when it is in every list that is given."""

    wanted: Mapping[str, frozenset[str]] = field(default_factory=dict)
    newcomer: bool = False
    known: bool = False

    def fits(self, cells: pl.DataFrame) -> Flags:
        """Tell for each cell whether it fits; newcomers are the caller's to know."""
        found = np.ones(cells.height, dtype=bool)
        for plural, values in self.wanted.items():
            column = cells[plural.removesuffix("s")]
            found &= column.is_in(sorted(values)).fill_null(False).to_numpy()
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Reaction:
    """One entry of reactions.toml, which explains the fields."""

    id: str
    says: str
    effect: Side
    cause: Side
    at_most: float


@cache
def known_reactions() -> tuple[Reaction, ...]:
    """Return the entries of reactions.toml, in order. Raises ValueError for one that is wrong."""
    return tuple(_reaction(entry) for entry in packaged("reactions.toml")["reaction"])


def _reaction(entry: Mapping[str, Any]) -> Reaction:
    unknown = entry.keys() - {"id", "says", "effect", "cause", "at_most"}
    if unknown:
        raise ValueError(f"reaction {entry['id']}: unknown {sorted(unknown)}")
    return Reaction(
        id=entry["id"],
        says=entry["says"],
        effect=_side(entry["effect"]),
        cause=_side(entry.get("cause", {})),
        at_most=float(entry["at_most"]),
    )


def _side(entry: Mapping[str, Any]) -> Side:
    unknown = entry.keys() - {*LISTS, "newcomer", "known"}
    if unknown:
        raise ValueError(f"a side of a reaction has unknown {sorted(unknown)}")
    wanted = {name: frozenset(entry[name]) for name in LISTS if name in entry}
    return Side(wanted, bool(entry.get("newcomer")), bool(entry.get("known")))
