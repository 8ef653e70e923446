"""Patterns: names for the cells that grew, and what a name is worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from kubepostmortem.attribution.axis import Flags, Series

WORTH = 20.0  # per share of the growth; a cell of 5 % pays for its name
MOST_WORTH = 3.0  # a cell of 15 % is as sure to be named as one of 90 %
NAME = 1.0
WILDCARD = 0.3
SILENT = 0.35  # a member that did not grow, though it could have been seen to
SILENT_ACROSS = 0.5  # of that, where components differ: some were not concerned


@dataclass(frozen=True, slots=True, order=True)
class Pattern:
    """Cells that agree in what is given; None stands for any, "" for none (other URLs)."""

    component: str | None
    verb: str | None
    resource: str | None

    def matches(self, cells: pl.DataFrame) -> Flags:
        """Tell for each cell (component, verb, resource) whether it is one of the pattern."""
        found = np.ones(cells.height, dtype=bool)
        for name in ("component", "verb", "resource"):
            wanted = getattr(self, name)
            if wanted is not None:
                found &= (cells[name] == wanted).fill_null(False).to_numpy()
        return found

    @property
    def wildcards(self) -> int:
        """How many of the three parts are left open."""
        return (self.component, self.verb, self.resource).count(None)


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """A pattern, the growing cells that it names, and their share of the growth.

    exactly: the same in patterns that match no other cell of the evidence; a pattern across
    components stands for itself, since clients that show no growth may be part of it.
    """

    pattern: Pattern
    members: Flags
    share: float
    exactly: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Grown:
    """Cells (component, verb, resource), which of them grew, and their shares of the growth.

    risen: cells that did more; growing: those of them that matter by themselves, the only ones with
    a share; shrinking: cells that did less; against_chance: growth in requests and in demand (2 x
    cells), as a part of what all the other cells moved by chance, up or down; visible: cells that
    are known not to have grown, since half as much again would have shown.
    """

    cells: pl.DataFrame
    risen: Flags
    growing: Flags
    shrinking: Flags
    shares: Series
    against_chance: npt.NDArray[np.float64]
    visible: Flags

    def worth(self, members: Flags) -> float:
        """What naming these cells is worth."""
        return float(np.minimum(WORTH * self.shares[members], MOST_WORTH).sum())

    def net(self, pattern: Pattern, among: Flags) -> float:
        """What a pattern is worth on cells that have no name yet, less its price."""
        members = pattern.matches(self.cells)
        silent = SILENT * float((members & self.visible).sum())
        if pattern.component is None:
            silent *= SILENT_ACROSS
        return self.worth(members & among) - NAME - WILDCARD * pattern.wildcards - silent
