"""Power laws load = factor * size ** exponent, fitted on logarithms, with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kubepostmortem.attribution.fan_out import LEAST_RANGE
from kubepostmortem.attribution.student import student_t

Floats = NDArray[np.float64]

FREEDOM = 7  # of the errors of loads, which come from eight batches
SIZES = np.geomspace(1.0, 1e6, 6001)  # where a crossing is looked for: 0.23 % apart


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value and its 95 % interval; high None: no upper end is known."""

    value: float
    low: float
    high: float | None


@dataclass(frozen=True, slots=True)
class Load:
    """A load at a size, and the relative standard error of the load."""

    size: float
    load: float
    error: float = 0.0


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """A fitted law; low and high: 95 % interval of the exponent; points: how many gave it.

    r2: part of the variance of the logarithms that it explains; None where two points leave none
    to explain. middle: logarithm of the size that the intercept is taken at; margins: square of
    the half width of the interval of intercept and exponent, and of their product.
    """

    exponent: float
    low: float
    high: float
    points: int
    r2: float | None
    middle: float
    intercept: float
    margins: tuple[float, float, float]

    def at(self, size: float) -> Estimate:
        """Return the load at a size, with the interval of the law (not of a single cluster)."""
        value, margin = self._logs(np.array([size]))
        return Estimate(
            float(np.exp(value[0])),
            float(np.exp(value[0] - margin[0])),
            float(np.exp(value[0] + margin[0])),
        )

    def _logs(self, sizes: Floats) -> tuple[Floats, Floats]:
        x = np.log(sizes) - self.middle
        level, both, slope = self.margins
        margin: Floats = np.sqrt(np.maximum(0.0, level + 2 * both * x + slope * x * x))
        return self.intercept + self.exponent * x, margin


def power_law(loads: Sequence[Load]) -> PowerLaw | None:
    """Fit a law by least squares on logarithms; None for fewer than two sizes that differ enough.

    The interval is the wider one of two: what the loads' own errors leave open (all that two points
    can tell), and from three points on what their scatter about the law does, by Student's t.
    """
    known = [one for one in loads if one.size > 0 and one.load > 0]
    sizes = np.array([one.size for one in known])
    if len(known) < 2 or sizes.max() < LEAST_RANGE * sizes.min():
        return None
    x, y = np.log(sizes), np.log([one.load for one in known])
    middle = float(x.mean())
    design = np.column_stack([np.ones_like(x), x - middle])
    solver = np.linalg.pinv(design)
    intercept, exponent = (float(part) for part in solver @ y)
    rest = y - design @ np.array([intercept, exponent])
    margins = _wider(solver, np.array([one.error for one in known]), rest)
    margin = float(margins[1, 1]) ** 0.5
    total = float(((y - y.mean()) ** 2).sum())
    return PowerLaw(
        exponent=exponent,
        low=exponent - margin,
        high=exponent + margin,
        points=len(known),
        r2=1 - float(rest @ rest) / total if len(known) > 2 and total > 0 else None,
        middle=middle,
        intercept=intercept,
        margins=(float(margins[0, 0]), float(margins[0, 1]), float(margins[1, 1])),
    )


def anchored(load: Load, exponent: float, margin: float) -> PowerLaw:
    """Return the law through one load whose exponent, give or take a margin, is known otherwise."""
    return PowerLaw(
        exponent=exponent,
        low=exponent - margin,
        high=exponent + margin,
        points=1,
        r2=None,
        middle=float(np.log(load.size)),
        intercept=float(np.log(load.load)),
        margins=((student_t(FREEDOM) * load.error) ** 2, 0.0, margin**2),
    )


def reaches(laws: Sequence[PowerLaw], limit: float) -> Estimate | None:
    """Return the size at which the sum of the laws reaches a limit; None: at none up to a million.

    The interval is where the ends of the laws' intervals reach it (each taken as its worst).
    """
    if not laws:
        return None
    logs = [one._logs(SIZES) for one in laws]
    value, above, below = (
        sum(np.exp(level + sign * margin) for level, margin in logs) for sign in (0, 1, -1)
    )
    sizes = [_crossing(np.asarray(curve), limit) for curve in (value, above, below)]
    if sizes[0] is None:
        return None
    return Estimate(sizes[0], sizes[1] or float(SIZES[0]), sizes[2])


def _wider(solver: Floats, errors: Floats, rest: Floats) -> Floats:
    """Return the squared margins of intercept and exponent, from errors or from scatter."""
    known: Floats = (solver * (student_t(FREEDOM) * errors) ** 2) @ solver.T
    freedom = rest.size - 2
    if freedom < 1:
        return known
    scatter: Floats = student_t(freedom) ** 2 * float(rest @ rest) / freedom * (solver @ solver.T)
    return scatter if scatter[1, 1] > known[1, 1] else known


def _crossing(curve: Floats, limit: float) -> float | None:
    """Return the smallest size at which a curve is at the limit or above it."""
    above = np.flatnonzero(curve >= limit)
    return float(SIZES[above[0]]) if above.size else None
