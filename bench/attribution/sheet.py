"""The cells of an incident in a fixed order, with what is known of each as an array."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from .incident import Pattern
from .timeline import Floats
from .world import Cell, World

ESTIMATED = 0.15  # the relative error of an estimated unit cost


@dataclass(frozen=True)
class Sheet:
    """One entry per cell in each array; `per_s` is the usual rate, `group` the component.

    `cost_s` is what a request costs, `estimate_s` what quiet times let one believe.
    """

    cells: tuple[Cell, ...]
    per_s: Floats
    cost_s: Floats
    estimate_s: Floats
    seats: Floats
    clients: Floats
    per_node: npt.NDArray[np.bool_]
    informer: npt.NDArray[np.bool_]
    group: npt.NDArray[np.int64]

    @cached_property
    def position(self) -> dict[Cell, int]:
        """Where each cell is."""
        return {cell: i for i, cell in enumerate(self.cells)}

    def rows(self, cells: Iterable[Cell]) -> npt.NDArray[np.int64]:
        """Where these cells are."""
        return np.array([self.position[cell] for cell in cells], dtype=np.int64)

    def matched(self, pattern: Pattern) -> npt.NDArray[np.bool_]:
        """Which cells a pattern matches."""
        return np.array([pattern.matches(cell.key) for cell in self.cells])

    def frame(self) -> pl.DataFrame:
        """One row per cell: its names, cost and seats."""
        names = ("component", "kind", "verb", "resource", "subresource", "scope")
        columns = {name: [getattr(cell, name) for cell in self.cells] for name in names}
        schema = dict.fromkeys(names, pl.String())
        return pl.DataFrame(columns, schema=schema).with_columns(
            unit_cost_s=pl.Series(self.estimate_s), seats=pl.Series(self.seats)
        )


def lay_out(world: World, added: Iterable[Cell], rng: np.random.Generator) -> Sheet:
    """All cells of a cluster, then those of `added` that it does not have yet."""
    here = {flow.cell: None for flow in world.flows}
    new = list(dict.fromkeys(cell for cell in added if cell not in here))
    cells = (*here, *new)
    components = {name: i for i, name in enumerate(dict.fromkeys(cell.component for cell in cells))}

    def column(known: Iterable[float], others: Iterable[float]) -> Floats:
        return np.array([*known, *others], dtype=np.float64)

    flows, absent = world.flows, [0.0] * len(new)
    costs = column((flow.cost_s for flow in flows), (world.cost_s(cell) for cell in new))
    return Sheet(
        cells,
        column((flow.per_s for flow in flows), absent),
        costs,
        costs * np.exp(rng.normal(0.0, ESTIMATED, len(costs))),
        column((flow.seats for flow in flows), (world.seats(cell) for cell in new)),
        column((flow.clients for flow in flows), absent),
        column((flow.per_node for flow in flows), absent) > 0,
        column((flow.informer for flow in flows), absent) > 0,
        np.array([components[cell.component] for cell in cells], dtype=np.int64),
    )
