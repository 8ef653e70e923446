"""Leaf tables: what the localisers of the literature read, and the sums over it that they share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.integer]
Mask = npt.NDArray[np.bool_]

Element = dict[str, int]
"""A value for each named dimension; a dimension that is not named matches every value."""


@dataclass(frozen=True)
class Leaves:
    """Leaves of a cube, one row each.

    `codes` [n, d] are values of the dimensions, counted from 0. `real` [n] is what was measured,
    `forecast` [n] what was expected; neither is negative.
    """

    dims: tuple[str, ...]
    codes: Integers
    real: Floats
    forecast: Floats

    def covered(self, element: Element) -> Mask:
        """Which leaves the element stands for."""
        covered = np.ones(len(self.real), dtype=bool)
        for dim, value in element.items():
            covered &= self.codes[:, self.dims.index(dim)] == value
        return covered

    def only(self, rows: Integers | Mask) -> Leaves:
        """Some of the leaves."""
        return Leaves(self.dims, self.codes[rows], self.real[rows], self.forecast[rows])


@dataclass(frozen=True)
class Cuboid:
    """The leaves grouped by some of the dimensions; `group` [n] numbers the element of a leaf."""

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    group: npt.NDArray[np.intp]

    def sums(self, values: Floats | Mask) -> Floats:
        """Sum of the values [n] of the leaves in each group."""
        size = int(np.prod(self.shape))
        return np.bincount(self.group, weights=values, minlength=size).astype(np.float64)

    def element(self, group: int) -> Element:
        """The element of a group."""
        values = np.unravel_index(group, self.shape)
        return {dim: int(value) for dim, value in zip(self.dims, values, strict=True)}


Localiser = Callable[[Leaves], list[Element]]


def group(leaves: Leaves, dims: Sequence[int]) -> Cuboid:
    """The cuboid of these dimensions (positions in `leaves.dims`)."""
    columns = tuple(leaves.codes[:, dim] for dim in dims)
    shape = tuple(int(column.max(initial=0)) + 1 for column in columns)
    names = tuple(leaves.dims[dim] for dim in dims)
    return Cuboid(names, shape, np.ravel_multi_index(columns, shape))


def deviation(real: Floats, forecast: Floats) -> Floats:
    """Relative change 2 (f - v) / (f + v), in [-2, 2]; positive where less came than expected.

    The deviation score of Squeeze (Li et al., ISSRE 2019) and of RiskLoc (arXiv 2205.10004).
    """
    return 2 * divided(forecast - real, forecast + real)


def divided(numerator: Floats, denominator: Floats) -> Floats:
    """The quotient, 0 where the denominator is 0."""
    return np.divide(
        numerator, denominator, out=np.zeros(np.shape(numerator)), where=denominator != 0
    )
