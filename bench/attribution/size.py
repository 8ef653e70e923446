"""How large a cause is, and what of it the counts can show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .mechanism import Mechanism
from .sheet import Sheet
from .timeline import Floats, Timeline

Mask = npt.NDArray[np.bool_]
CLEAR = 12.0  # requests that a pattern of the truth has at least, where its cells are else quiet
CLEAR_EACH = 5.0  # and on average per cell, for up to 20 cells


@dataclass(frozen=True)
class Difficulty:
    """Ranges: size of the cause in demand at rest, noise, bursts, decoys in parts of the cause."""

    size: tuple[float, float] = (0.15, 3.0)
    variation: tuple[float, float] = (0.03, 0.10)
    bursts: tuple[int, int] = (1, 4)
    burst: float = 0.08
    decoy: tuple[float, float] = (0.02, 0.15)
    harshness: float = 1.0


EASY = Difficulty()
HARD = Difficulty((0.05, 0.35), (0.08, 0.20), (4, 10), 0.15, (0.05, 0.25), 1.6)


def scale(
    sheet: Sheet,
    planted: Floats,
    mechanism: Mechanism,
    when: Timeline,
    wanted_s: float,
    difficulty: Difficulty,
) -> float:
    """By how much to multiply the cause: the size that is wanted, or what can be seen at all.

    Each pattern of the truth must stand out of the counts of its own cells, or there would be
    no evidence to find it by.
    """
    if not mechanism.planted:
        return 0.0
    wanted = wanted_s / mean_demand_s(sheet, planted, when)
    return max([wanted, *_visible(sheet, planted, mechanism, when, difficulty)])


def shown(sheet: Sheet, planted: Floats, when: Timeline, difficulty: Difficulty) -> Mask:
    """Which cells of the cause stand out of their own counts."""
    requests = planted[:, slice(*when.overload)].sum(axis=1)
    return np.asarray(requests > np.maximum(3.0, 3.0 * _spread(sheet.per_s, when, difficulty)))


def mean_demand_s(sheet: Sheet, load: Floats, when: Timeline) -> float:
    """Seconds of demand per bin in the overload."""
    return float((sheet.cost_s @ load)[slice(*when.overload)].mean())


def _visible(
    sheet: Sheet, planted: Floats, mechanism: Mechanism, when: Timeline, difficulty: Difficulty
) -> list[float]:
    """Per pattern of the truth, the scale at which its cells show it."""
    touched = planted.sum(axis=1) > 0
    scales = []
    for pattern in mechanism.truth:
        rows = touched & sheet.matched(pattern)
        spread = _spread(sheet.per_s[rows].sum(), when, difficulty)
        requests = float(planted[rows][:, slice(*when.overload)].sum())
        least = max(CLEAR, CLEAR_EACH * min(int(rows.sum()), 20))
        scales.append(max(least, 5.0 * float(spread)) / requests)
    return scales


def _spread(per_s: Floats, when: Timeline, difficulty: Difficulty) -> Floats:
    """The standard deviation of the growth of counts in the overload that needs no cause."""
    usual = per_s * when.width_s * when.overload_bins
    baseline = when.baseline[1] - when.baseline[0]
    wobble = usual * difficulty.variation[1] / np.sqrt(10.0)
    return np.asarray(np.sqrt(usual * (1 + when.overload_bins / baseline) + wobble**2))
