"""The ledger of growth: every bit of growth stands in exactly one line.

Each line is a series over the bins, and the series sum to the load; growth is a weighted sum over
bins. So lines sum to the total growth by construction, in the data and in every bootstrap draw.
Seconds that requests took grow with their number and with how long each takes (Shapley's split of a
product: either factor at the mean of the other); the second part is the line `latency`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import polars as pl

from kubepostmortem.attribution.axis import Axis, Series
from kubepostmortem.attribution.bootstrap import Draws, blocks_of, interval, resampled_weights
from kubepostmortem.attribution.load import MEASURES, Load
from kubepostmortem.attribution.parts import Part
from kubepostmortem.attribution.sizes import resources_of

OWN_LINE = 0.01  # of the growth of any measure; lines of one kind that are less are one line
KINDS = (
    *("primary", "induced", "throttling", "latency", "cluster growth"),
    *("unexplained", "drift", "decline"),
)
LATENCY = "the same requests took longer"


@dataclass(frozen=True, slots=True)
class Estimate:
    """Growth per second, and its 95 % interval."""

    growth: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Line:
    """A part of the growth, with its estimate by measure (see load.MEASURES).

    kind: primary, induced, throttling, latency, cluster growth, decline, drift or unexplained;
    component, verb and scope are None where the line is of several; resources: what grew, largest
    first.
    """

    kind: str
    component: str | None
    verb: str | None
    scope: str | None
    resources: tuple[str, ...]
    why: str
    estimates: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True, eq=False)
class Ledger:
    """Lines that sum to the totals in every measure."""

    lines: tuple[Line, ...]
    totals: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    """Parts of one line, and its series by measure (bins)."""

    parts: tuple[Part, ...]
    series: Mapping[str, Series]


def ledger_of(found: Iterable[Part], load: Load, axis: Axis) -> Ledger:
    """Sum parts that hold every request once, with intervals from a block bootstrap."""
    costs = {measure: _costs(load, axis, measure) for measure in MEASURES}
    entries = [_Entry((part,), _series(part, costs)) for part in found]
    weigh = _Weigher(axis.growth_weights(), resampled_weights(axis), blocks_of(axis))
    lines = [_line(entry, load, weigh) for entry in _folded(entries, weigh)]
    latency = _slower(load, costs["request_seconds"])
    lines.append(Line("latency", None, None, None, (), LATENCY, weigh.each(latency)))
    lines.sort(key=lambda one: (KINDS.index(one.kind), -one.estimates["demand"].growth))
    everything = _added([*(entry.series for entry in entries), latency])
    return Ledger(tuple(lines), weigh.each(everything))


@dataclass(frozen=True, slots=True, eq=False)
class _Weigher:
    """Turns series over bins into estimates of growth."""

    weights: Series
    draws: Draws
    blocks: int

    def growth(self, series: Series) -> float:
        return float(series @ self.weights)

    def each(self, series: Mapping[str, Series]) -> dict[str, Estimate]:
        return {measure: self._estimate(one) for measure, one in series.items()}

    def _estimate(self, series: Series) -> Estimate:
        growth = self.growth(series)
        low, high = interval(growth, self.draws @ series, self.blocks)
        return Estimate(growth, low, high)


def _costs(load: Load, axis: Axis, measure: str) -> Series:
    """What one request of each cell adds to a measure, the same in all bins.

    Of request_seconds: the mean of how long it took in the baseline and in the overload; a cell
    that is in one window only took as long in the other.
    """
    if measure != "request_seconds":
        return load.costs(measure)
    took = np.array([_took(load, axis, sign) for sign in (-1.0, 1.0)])
    known = np.where(np.isnan(took), took[::-1], took)
    return np.asarray(np.nan_to_num(known).mean(axis=0))


def _took(load: Load, axis: Axis, sign: float) -> Series:
    weights = axis.rate_weights(sign)
    requests, seconds = load.requests @ weights, load.request_s @ weights
    empty = np.full_like(requests, np.nan)
    return np.divide(seconds, requests, out=empty, where=requests > 0)


def _series(part: Part, costs: Mapping[str, Series]) -> dict[str, Series]:
    counts = part.table[part.cells]
    return {measure: cost[part.cells] @ counts for measure, cost in costs.items()}


def _slower(load: Load, costs: Series) -> dict[str, Series]:
    """What requests took longer than their number explains: nothing in the other measures."""
    none = np.zeros(load.requests.shape[1])
    seconds = load.request_s.sum(axis=0) - costs @ load.requests
    return {measure: seconds if measure == "request_seconds" else none for measure in MEASURES}


def _added(series: Sequence[Mapping[str, Series]]) -> dict[str, Series]:
    return {measure: np.sum([one[measure] for one in series], axis=0) for measure in MEASURES}


def _folded(entries: Sequence[_Entry], weigh: _Weigher) -> list[_Entry]:
    """Make one entry of those of a kind and reason that are too small; leave out empty ones."""
    totals = _added([entry.series for entry in entries])
    whole = {measure: abs(weigh.growth(totals[measure])) for measure in MEASURES}

    def matters(entry: _Entry) -> bool:
        kept = entry.parts[0].kind == "primary"
        return kept or any(
            abs(weigh.growth(entry.series[measure])) > OWN_LINE * whole[measure]
            for measure in ("requests", "demand", "seats")
        )

    def like(entry: _Entry) -> tuple[str, str]:
        return entry.parts[0].kind, entry.parts[0].why

    filled = [e for e in entries if any(one.any() for one in e.series.values())]
    small = sorted((entry for entry in filled if not matters(entry)), key=like)
    joined = [list(group) for _, group in groupby(small, key=like)]
    return [entry for entry in filled if matters(entry)] + [
        _Entry(
            tuple(part for entry in group for part in entry.parts),
            _added([entry.series for entry in group]),
        )
        for group in joined
    ]


def _line(entry: _Entry, load: Load, weigh: _Weigher) -> Line:
    first, alone = entry.parts[0], len(entry.parts) == 1
    cells = np.logical_or.reduce([part.cells for part in entry.parts])
    scopes = set(load.cells["scope"].filter(pl.Series(cells)))
    named = alone and first.named
    return Line(
        kind=first.kind,
        component=first.component if alone else None,
        verb=first.verb if alone else None,
        scope=scopes.pop() if len(scopes) == 1 else None,
        resources=resources_of(cells, first.table[cells] @ weigh.weights, load) if named else (),
        why=first.why,
        estimates=weigh.each(entry.series),
    )
