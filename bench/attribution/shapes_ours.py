"""Elements of a leaf table by minimum description length.

An element is worth naming if it shortens the description of the leaves: by the log-likelihood ratio
of its leaves between "all changed by about the same part" and "came as forecast", less the length
of its name. Rissanen, Modeling by shortest data description, Automatica 1978.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb, log, prod

import numpy as np
import numpy.typing as npt

from .evidence import MODELS, evidence, scales
from .rivals.riskloc import extremes
from .rivals.table import Element, Floats, Leaves, Mask, divided

Cube = npt.NDArray[np.float32]
Dims = tuple[int, ...]

MOST_CELLS = 2_000_000

WORTH = 3.0
"""Nats that every element must save beyond its name."""


@dataclass(frozen=True)
class Found:
    """An element of the cuboid `dims`, the model that describes it, and the nats that it saves."""

    dims: Dims
    values: tuple[int, ...]
    model: int
    saved: float

    def index(self, count: int) -> tuple[int | slice, ...]:
        """Its place in a cube of so many dimensions."""
        values = dict(zip(self.dims, self.values, strict=True))
        return tuple(values.get(dim, slice(None)) for dim in range(count))


def ours_on_leaves(leaves: Leaves) -> list[Element]:
    """Elements that save most, in the order found.

    Noise is learnt from the side that deviates less, then once more from all leaves that the
    first answer leaves over. Takes about 1 kB for each combination of values; raises MemoryError
    above 2 million of them.
    """
    leaves = leaves.only(leaves.real + leaves.forecast > 0)
    lost = divided(leaves.forecast - leaves.real, np.maximum(leaves.forecast, leaves.real))
    if not lost.any():
        return []
    low, high = extremes(lost)
    found = _cover(_cube(leaves, lost, lost <= 0 if high >= -low else lost >= 0))
    rest = np.ones(len(lost), dtype=bool)
    for one in found:
        rest &= ~leaves.covered(_named(leaves, one))
    cube = _cube(leaves, lost, rest)
    return [_named(leaves, one) for one in _needed(cube, _cover(cube))]


def _named(leaves: Leaves, found: Found) -> Element:
    return {leaves.dims[dim]: v for dim, v in zip(found.dims, found.values, strict=True)}


def _cube(leaves: Leaves, lost: Floats, normal: Mask) -> Cube:
    """Evidence of each leaf for each model, in nats; the models are the last dimension."""
    shape = tuple(int(column.max()) + 1 for column in leaves.codes.T)
    if prod(shape) > MOST_CELLS:
        raise MemoryError(f"{prod(shape)} combinations of values are more than {MOST_CELLS}")
    cube = np.zeros((*shape, len(MODELS)), dtype=np.float32)
    scale = scales(np.maximum(leaves.forecast, leaves.real), lost, normal)
    cube[tuple(leaves.codes.T)] = evidence(lost, scale)
    return cube


def _cover(cube: Cube) -> list[Found]:
    """Elements in the order of what they save; the leaves of one are not counted for the next."""
    left = cube.copy()
    found: list[Found] = []
    while True:
        tables = _tables(left)
        best = max(
            (_best(dims, table, left.shape) for dims, table in tables.items()),
            key=lambda one: one.saved,
        )
        if best.saved <= 0:
            return found
        best = _parts_of(best, tables, left.shape)
        found.append(best)
        left[best.index(left.ndim - 1)] = 0


def _tables(cube: Cube) -> dict[Dims, Cube]:
    """Sums of the evidence in every cuboid, each from one that has a dimension more."""
    count = cube.ndim - 1
    tables: dict[Dims, Cube] = {tuple(range(count)): cube}
    for layer in range(count - 1, 0, -1):
        for dims in combinations(range(count), layer):
            summed = max(set(range(count)) - set(dims), key=lambda dim: cube.shape[dim])
            wider = tuple(sorted((*dims, summed)))
            tables[dims] = tables[wider].sum(axis=wider.index(summed))
    return tables


def name_length(dims: Dims, shape: tuple[int, ...]) -> float:
    """Nats that an element of the cuboid costs: its layer, dimensions and values."""
    count = len(shape) - 1
    values = sum(log(shape[dim]) for dim in dims)
    return log(count) + log(comb(count, len(dims))) + values + WORTH


def _best(dims: Dims, table: Cube, shape: tuple[int, ...]) -> Found:
    place = np.unravel_index(int(table.argmax()), table.shape)
    *values, model = (int(value) for value in place)
    return Found(dims, tuple(values), model, float(table[place]) - name_length(dims, shape))


def _parts_of(found: Found, tables: dict[Dims, Cube], shape: tuple[int, ...]) -> Found:
    """The best part of an element, if its parts in one cuboid save more than the whole."""
    best, most = found, found.saved
    values = dict(zip(found.dims, found.values, strict=True))
    for dims, table in tables.items():
        if not set(dims) > set(found.dims):
            continue
        inside = tuple(values.get(dim, slice(None)) for dim in dims)
        saved = table[(*inside, found.model)] - name_length(dims, shape)
        if saved[saved > 0].sum() > most:
            most = float(saved[saved > 0].sum())
            inner = iter(np.unravel_index(int(saved.argmax()), saved.shape))
            chosen = tuple(values[dim] if dim in values else int(next(inner)) for dim in dims)
            best = Found(dims, chosen, found.model, float(saved.max()))
    return best


def _needed(cube: Cube, found: list[Found]) -> list[Found]:
    """Without elements that save nothing once the others are named; later ones go first."""
    kept = list(found)
    for one in reversed(found):
        left = cube.copy()
        for other in kept:
            if other is not one:
                left[other.index(cube.ndim - 1)] = 0
        inside = left[one.index(cube.ndim - 1)].reshape(-1, cube.shape[-1])
        if inside.sum(axis=0).max() <= name_length(one.dims, cube.shape):
            kept.remove(one)
    return kept
