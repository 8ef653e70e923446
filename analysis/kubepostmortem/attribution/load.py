"""Load as arrays: what every cell did in every bin, and what of it is the cell's own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from kubepostmortem.attribution.axis import Axis, Series

Table = npt.NDArray[np.float64]  # cells x bins

CELL = ("component", "kind", "verb", "resource", "subresource", "scope")
COUNTED = ("requests", "throttled", "new_node_requests", "request_s")
MEASURES = ("requests", "request_seconds", "demand", "seats")


@dataclass(frozen=True, slots=True, eq=False)
class Load:
    """Cells (one row each of `cells`, sorted) and what was counted of each in every bin.

    cells has the columns of CELL, unit_cost_s and seats (of one request). requests: all of them;
    throttled: answered 429; joined: what nodes sent because they joined after the baseline; own:
    the rest, so the three parts sum to requests. request_s: seconds that requests took, summed.
    """

    cells: pl.DataFrame
    requests: Table
    throttled: Table
    joined: Table
    request_s: Table

    @property
    def own(self) -> Table:
        """Requests that are neither refused for overload nor explained by new nodes."""
        return self.requests - self.throttled - self.joined

    def costs(self, measure: str) -> Series:
        """What one request of each cell counts in a measure other than request_seconds."""
        if measure == "requests":
            return np.ones(self.cells.height)
        column = {"demand": "unit_cost_s", "seats": "seats"}[measure]
        return self.cells[column].fill_null(0.0).to_numpy()


def load_of(rows: pl.DataFrame, axis: Axis) -> Load:
    """Arrange rows of load (one per bin and cell; those of zero may lack) as arrays."""
    # Clusters differ in what a request costs: their cells stay apart.
    own = [*CELL, "unit_cost_s", "seats"]
    cells = rows.select(own).unique().sort(own).with_row_index("cell")
    placed = rows.join(cells, on=own, nulls_equal=True)
    places = placed["cell"].to_numpy(), placed["bin"].to_numpy()
    requests, throttled, new, seconds = (
        _table(placed[name], places, (cells.height, axis.bins)) for name in COUNTED
    )
    return Load(
        cells=cells.drop("cell"),
        requests=requests,
        throttled=np.minimum(throttled, requests),
        joined=_of_new_nodes(requests, np.minimum(new, requests - throttled), axis),
        request_s=seconds,
    )


def _table(
    amounts: pl.Series, places: tuple[npt.NDArray[np.int64], ...], shape: tuple[int, int]
) -> Table:
    table = np.zeros(shape)
    np.add.at(table, places, amounts.fill_null(0.0).to_numpy())
    return table


def _of_new_nodes(requests: Table, new: Table, axis: Axis) -> Table:
    """The part of new nodes' requests that is there because they joined.

    All of it, but for growth that the nodes before them show as well: that came with something
    else, and as much of it per node is not counted here. What a node does to start up is.
    """
    joined = np.zeros_like(requests)
    for bins, quiet, loud in axis.compared():
        nodes = axis.nodes_joined[bins] / np.maximum(axis.nodes_before[bins], 1.0)
        before, after = (
            (requests - new)[:, window].sum(axis=1) / axis.width_s[window].sum()
            for window in (quiet, loud)
        )
        usual, risen = (
            np.outer(rate, axis.width_s[bins] * nodes)
            for rate in (before, np.maximum(after - before, 0.0))
        )
        excess = np.maximum(new[:, bins] - usual, 0.0)
        joined[:, bins] = new[:, bins] - np.minimum(excess, risen)
    return joined
