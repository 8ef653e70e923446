"""Leaf tables of public multi-dimensional shapes, each with the elements that were made abnormal.

S, L and H follow the synthetic sets of RiskLoc (Kalander 2022, arXiv 2205.10004). B0 has the form
of the semi-synthetic set of Squeeze (Li et al., ISSRE 2019), whose background is real data of an
Internet company: this one is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from .rivals.table import Element, Floats, Integers, Leaves, Mask

NAMES = "abcdef"


@dataclass(frozen=True)
class Shape:
    """One instance: the leaves, and the elements planted in them."""

    leaves: Leaves
    truth: tuple[Element, ...]


@dataclass(frozen=True)
class Recipe:
    """Ranges of a synthetic set of RiskLoc; all but `dims` are drawn anew for each instance.

    `noise` is the standard deviation of the relative forecast error, `severity` the part of an
    abnormal leaf that is lost, `spread` the standard deviation of it within an anomaly. `anomalies`
    are drawn in different cuboids of any layer (of all dimensions if `deepest`).
    """

    dims: tuple[int, ...]
    noise: tuple[float, float] = (0.0, 0.25)
    severity: tuple[float, float] = (0.2, 1.0)
    spread: tuple[float, float] = (0.0, 0.1)
    anomalies: tuple[int, int] = (1, 3)
    elements: tuple[int, int] = (1, 3)
    deepest: bool = False
    alpha: tuple[float, float] = (0.5, 1.0)
    zeros: tuple[float, float] = (0.0, 0.25)


SMALL = Recipe((10, 12, 10, 8, 5))
LARGE = Recipe(
    (10, 24, 10, 15),
    noise=(0.0, 0.1),
    severity=(0.5, 1.0),
    spread=(0.0, 0.0),
    anomalies=(1, 5),
    elements=(1, 1),
    deepest=True,
)
HIGH = Recipe((10, 5, 250, 20, 8, 12))
"""24 million leaves: an instance takes 0.8 GB."""


def synthetic(recipe: Recipe, chance: np.random.Generator) -> Shape:
    """An instance of a recipe: Weibull leaves, forecast errors on both sides, planted losses.

    The paper gives the distributions and their ranges. As in its published generator, the noise
    level is added to the severity, and anomalies go the way of the sum of the noise.
    """
    codes = grid(recipe.dims)
    noise = chance.uniform(*recipe.noise)
    real, forecast = background(recipe, noise, len(codes), chance)
    planted = placed(recipe, codes, real, chance)
    raised = real.sum() > forecast.sum()
    lost, kept = (forecast, real) if raised else (real, forecast)
    for elements in planted:
        rows = np.logical_or.reduce([matched(codes, element) for element in elements])
        severity = chance.uniform(*recipe.severity) + noise
        loss = chance.normal(severity, chance.uniform(*recipe.spread), int(rows.sum()))
        lost[rows] = np.maximum(kept[rows] * (1 - loss), 0)
    names = tuple(NAMES[: len(recipe.dims)])
    return Shape(Leaves(names, codes, real, forecast), tuple(e for es in planted for e in es))


def grid(dims: tuple[int, ...]) -> Integers:
    """Codes of all combinations of values, the last dimension fastest."""
    codes = np.empty((int(np.prod(dims)), len(dims)), dtype=np.int16, order="F")
    for column, values in enumerate(np.ix_(*(np.arange(size) for size in dims))):
        codes[:, column] = np.broadcast_to(values, dims).ravel()
    return codes


def matched(codes: Integers, element: Element) -> Mask:
    """Rows of an element."""
    rows = np.ones(len(codes), dtype=bool)
    for name, value in element.items():
        rows &= codes[:, NAMES.index(name)] == value
    return rows


def background(
    recipe: Recipe, noise: float, count: int, chance: np.random.Generator
) -> tuple[Floats, Floats]:
    """Real and forecast of normal leaves; which of the two carries the error is drawn by leaf."""
    exact = chance.weibull(chance.uniform(*recipe.alpha), count) * 100
    exact *= chance.random(count) > chance.uniform(*recipe.zeros)
    erring = np.maximum(exact * (1 + noise * chance.standard_normal(count)), 0)
    swapped = chance.random(count) < 0.5
    return np.where(swapped, erring, exact), np.where(swapped, exact, erring)


def placed(
    recipe: Recipe, codes: Integers, real: Floats, chance: np.random.Generator
) -> list[list[Element]]:
    """Elements of each anomaly; draws that clash with earlier ones are drawn again.

    Cuboids are not used twice, except that of all dimensions, and values of a dimension not by two
    anomalies, so that no element holds another. A planted leaf is not 0.
    """
    planted: list[list[Element]] = []
    depth = len(recipe.dims)
    for _ in range(chance.integers(*recipe.anomalies, endpoint=True)):
        layer = depth if recipe.deepest else int(chance.integers(1, depth, endpoint=True))
        count = int(chance.integers(*recipe.elements, endpoint=True))
        elements = _drawn(recipe.dims, layer, count, planted, chance)
        while elements is None or (layer == depth and not _some(codes, real, elements)):
            elements = _drawn(recipe.dims, layer, count, planted, chance)
        planted.append(elements)
    return planted


def _some(codes: Integers, real: Floats, leaves: list[Element]) -> bool:
    return all(real[matched(codes, leaf)].sum() > 0 for leaf in leaves)


def _drawn(
    dims: tuple[int, ...],
    layer: int,
    count: int,
    planted: list[list[Element]],
    chance: np.random.Generator,
) -> list[Element] | None:
    cuboid = np.sort(chance.choice(len(dims), layer, replace=False))
    if layer < len(dims) and any(set(es[0]) == {NAMES[d] for d in cuboid} for es in planted):
        return None
    columns: dict[str, list[int]] = {}
    for dim in cuboid:
        used = {element.get(NAMES[dim]) for elements in planted for element in elements}
        free = [value for value in range(dims[dim]) if value not in used]
        if not free:
            return None
        columns[NAMES[dim]] = chance.choice(free, count).tolist()
    elements = [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]
    return elements if len({tuple(element.items()) for element in elements}) == count else None


B0_DIMS = (6, 36, 10, 10)
B0_SPREADS = (0.4, 1.2, 2.0, 0.4)
B0_PAIR_SPREADS = {(0, 2): 0.7, (1, 2): 1.5, (2, 3): 0.5}
B0_KEPT = (0.0, 0.2, 0.4, 0.6)
B0_LEAST_VOLUME = (0.004, 0.001, 0.0001)
B0_NOISE = 0.01


def b0(chance: np.random.Generator, layer: int | None = None, count: int | None = None) -> Shape:
    """An instance like those of B0: up to three elements of one layer, each with its own ratio.

    Squeeze gives the groups (1-3 elements in layer 1-3, any cuboids of it), that all leaves of an
    element change alike (generalised ripple effect), and a mean forecast error of 0.8 %. From
    published samples: the sizes of the dimensions, the ratios, that abnormal values are rounded
    before noise, and that half of the leaves are 0. Guessed: the distribution of the background,
    and that an element has two leaves that are not 0, and holds no other element.
    """
    layer = layer or int(chance.integers(1, 3, endpoint=True))
    count = count or int(chance.integers(1, 3, endpoint=True))
    codes = grid(B0_DIMS)
    forecast = _volumes(codes, chance)
    real = forecast.copy()
    elements = _b0_elements(codes, forecast, layer, count, chance)
    ratios = chance.choice(B0_KEPT, count, replace=False)
    for element, ratio in zip(elements, ratios, strict=True):
        rows = matched(codes, element)
        real[rows] = np.round(forecast[rows] * ratio)
    real *= np.maximum(1 + B0_NOISE * chance.standard_normal(len(real)), 0)
    return Shape(Leaves(tuple(NAMES[:4]), codes, real, forecast), tuple(elements))


def _volumes(codes: Integers, chance: np.random.Generator) -> Floats:
    """Whole numbers, log-normal by value of each dimension, by pair of dimensions, and by leaf."""
    size = np.full(len(codes), 1.0) + 0.2 * chance.standard_normal(len(codes))
    for dim, spread in enumerate(B0_SPREADS):
        size += spread * chance.standard_normal(B0_DIMS[dim])[codes[:, dim]]
    for pair, spread in B0_PAIR_SPREADS.items():
        one, two = pair
        pairs = chance.standard_normal((B0_DIMS[one], B0_DIMS[two]))
        size += spread * pairs[codes[:, one], codes[:, two]]
    size[codes[:, -1] == chance.integers(B0_DIMS[-1])] = -np.inf
    return np.floor(np.exp(size))


def _b0_elements(
    codes: Integers, forecast: Floats, layer: int, count: int, chance: np.random.Generator
) -> list[Element]:
    elements: list[Element] = []
    while len(elements) < count:
        cuboid = np.sort(chance.choice(len(B0_DIMS), layer, replace=False))
        element = {NAMES[dim]: int(chance.integers(B0_DIMS[dim])) for dim in cuboid}
        volume = forecast[matched(codes, element)].sum() / forecast.sum()
        if element not in elements and volume >= B0_LEAST_VOLUME[layer - 1]:
            elements.append(element)
    return elements


SETS: dict[str, Callable[[np.random.Generator], Shape]] = {
    "B0": b0,
    "S": lambda chance: synthetic(SMALL, chance),
    "L": lambda chance: synthetic(LARGE, chance),
    "H": lambda chance: synthetic(HIGH, chance),
}
"""Generators by the name of the set."""


def shapes(name: str, count: int, seed: int) -> Iterator[Shape]:
    """Instances of a set; the same seed gives the same ones, whatever their number."""
    for number in range(count):
        yield SETS[name](np.random.default_rng([seed, number]))
