"""Which cells grew: beyond their own noise, by a part that matters."""

from __future__ import annotations

import numpy as np
import polars as pl

from kubepostmortem.attribution.axis import Axis, Flags, Numbers, Series
from kubepostmortem.attribution.load import Load, Table
from kubepostmortem.attribution.patterns import Grown

NAMED = ("component", "verb", "resource")
SIGMAS = 4.0
LEAST_RISE = 0.15  # of the baseline; noise that drifts is no growth
LEAST_SHARE = 0.005  # of all that grew
MEASURES = ("requests", "demand")
WEIGHTS = (0.1, 0.9)  # of these measures in a cell's share of the growth
REFUSED = 3.0  # times as many refused requests as others can count for a cell that grew
BLOCKS = 12  # that a window is cut into to see how noisy it is: neighbouring bins are alike
VISIBLE_RISE = 0.5  # of the baseline: what grew with others would have grown by that


def grown_cells(load: Load, axis: Axis) -> tuple[Grown, Numbers]:
    """Return the cells (component, verb, resource) with what grew, and each fine cell's number.

    A cell's share is mostly its share of the growth in demand, the cost of requests; that in their
    number counts as well, and alone where no cost is known. Requests that were refused count beside
    others only, up to a few times as many: victims retry what they always asked for, but who was
    served more and refused besides has asked for more.
    """
    names = load.cells.select("component", pl.col("verb", "resource").fill_null(""), "kind")
    cells = names.group_by(NAMED).agg(pl.col("kind").min()).sort(NAMED).with_row_index("cell")
    number = names.join(cells, on=NAMED, maintain_order="left")["cell"].to_numpy()
    own = load.own
    requests, demand = (
        _summed(own * load.costs(measure)[:, None], number, cells.height) for measure in MEASURES
    )
    growths = np.array([table @ axis.growth_weights() for table in (requests, demand)])
    noise, base = _noise(requests, axis), requests @ axis.rate_weights(-1.0)
    risen = (growths[0] > SIGMAS * noise) & (growths[0] >= LEAST_RISE * base)
    most = REFUSED * growths.clip(0.0)
    asked = growths + _refused(load, axis, number, growths).clip(0.0, most)
    shares = _shares(asked, risen)
    growing = risen & (shares > LEAST_SHARE)
    return Grown(
        cells=cells.drop("cell"),
        risen=risen,
        growing=growing,
        shrinking=growths[0] < -SIGMAS * noise,
        shares=np.where(growing, shares, 0.0),
        against_chance=_against_chance(growths, growing),
        visible=~risen & (VISIBLE_RISE * base > SIGMAS * noise),
    ), number


def _refused(load: Load, axis: Axis, number: Numbers, growths: Table) -> Table:
    """Growth of requests answered 429, in the measures and cells of growths."""
    counts = load.throttled @ axis.growth_weights()
    weighed = (counts * load.costs(measure) for measure in MEASURES)
    return np.array([np.bincount(number, one, growths.shape[1]) for one in weighed])


def _against_chance(growths: Table, growing: Flags) -> Table:
    """Each growth (measures x cells) as a part of all that the cells that do not grow moved by."""
    moved = np.abs(growths[:, ~growing]).sum(axis=1, keepdims=True)
    endless = np.where(growths > 0, np.inf, 0.0)  # where nothing else moves, anything stands out
    with np.errstate(over="ignore"):  # beside next to nothing, anything stands out as well
        return np.asarray(np.divide(growths, moved, out=endless, where=moved > 0))


def _summed(fine: Table, number: Numbers, cells: int) -> Table:
    table = np.zeros((cells, fine.shape[1]))
    np.add.at(table, number, fine)
    return table


def _shares(growths: Table, risen: Flags) -> Series:
    """Mean share of each cell over the measures (measures x cells) that grew at all."""
    parts = np.array([_parts(growth, risen) for growth in growths])
    grew = parts.any(axis=1)
    if not grew.any():
        return np.zeros(risen.size)
    return np.asarray(np.average(parts[grew], axis=0, weights=np.array(WEIGHTS)[grew]))


def _parts(growth: Series, risen: Flags) -> Series:
    """Each cell's part of what grew."""
    positive = np.where(risen, np.maximum(growth, 0.0), 0.0)
    total = positive.sum()
    return positive / total if total > 0 else positive


def _noise(requests: Table, axis: Axis) -> Series:
    """Standard deviation of the growth of each cell, requests per second, had nothing changed.

    From the variance of the baseline's block means, at least that of pure chance (Poisson).
    """
    variance = np.zeros(requests.shape[0])
    for _, quiet, loud in axis.compared():
        variance += _variance(requests, axis, quiet, loud)
    return np.sqrt(variance)


def _variance(requests: Table, axis: Axis, quiet: Numbers, loud: Numbers) -> Series:
    seconds, later_s = axis.width_s[quiet].sum(), axis.width_s[loud].sum()
    blocks = np.array_split(quiet, min(BLOCKS, quiet.size))
    means = np.array([requests[:, b].sum(axis=1) / axis.width_s[b].sum() for b in blocks])
    block_s = seconds / len(blocks)
    spread = means.var(axis=0, ddof=min(1, len(blocks) - 1)) * block_s
    mean = np.maximum(requests[:, quiet].sum(axis=1), 1.0) / seconds
    return np.asarray(np.maximum(spread, mean) * (1 / seconds + 1 / later_s))
