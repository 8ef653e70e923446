"""Causes: which component grew with which verb, and whether that growth can have started it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import polars as pl

LEAST_SHARE = 0.05  # of either measure: smaller growth goes into the rest
LEAST_OF_TOP = 0.2  # of the top cause's growth: smaller growth started nothing
LATER_S = 30.0  # growth that begins this long after another one cannot have started it
SHED = 0.5  # of a client's growth answered 429: it grows because it retries
RESOURCE_SHARE = 0.02  # of a cause's growth: a resource below it is not worth naming


@dataclass(frozen=True, slots=True)
class Cause:
    """Growth of one component with one verb.

    growth_rps: requests per second; growth_demand: uncongested API server seconds per second;
    share and share_of_requests: parts of the total growth of all clients (all sum to 1);
    newcomer: none or hardly any of it was there in the baseline.
    """

    component: str
    component_kind: str
    verb: str
    scope: str
    resources: tuple[str, ...]
    growth_rps: float
    growth_demand: float
    share: float
    share_of_requests: float
    shed_share: float
    baseline_rps: float
    newcomer: bool
    onset: datetime | None
    kind: str = "primary"
    why: str = ""


def rank_causes(
    growth: pl.DataFrame,
    onsets: Mapping[tuple[str, str], datetime],
    overload_at: datetime | None = None,
    later_s: float = LATER_S,
) -> list[Cause]:
    """Group growth by component and verb, and tell primary from induced.

    The first one is what started it; the others follow with the largest demand first. growth: rows
    of load_growth; onsets: by (component, verb); overload_at: when the overload began; later_s:
    how far apart onsets must be to tell before from after. Cells that shrank or hardly grew are
    left out, so the shares of the causes need not sum to 1.
    """
    totals = growth.select(pl.col("growth_rps", "growth_demand").sum()).row(0, named=True)
    groups = growth.group_by("component", "kind", "verb", maintain_order=True)
    causes = [_cause(cells, totals, onsets) for _, cells in groups]
    grown = [c for c in causes if max(c.share, c.share_of_requests) >= LEAST_SHARE]
    ranked = sorted(grown, key=lambda c: (-c.growth_demand, c.component, c.verb))
    if not ranked:
        return []
    later = timedelta(seconds=later_s)
    top = _origin(ranked, overload_at, later)
    why = "the largest growth in demand" + ("" if top is ranked[0] else " that began in time")
    others = [_judge(cause, top, later) for cause in ranked if cause is not top]
    return [replace(top, kind="primary", why=why), *others]


def _origin(ranked: Sequence[Cause], overload_at: datetime | None, later: timedelta) -> Cause:
    """Return the largest growth that began no later than the overload; retries are none.

    Why not just the largest: a client that comes into an overload has only slow requests to show,
    so its cost is overrated. Growth that is small beside the largest started nothing.
    """
    largest = ranked[0]
    able = [c for c in ranked if c is largest or not (_retries(c) or _is_small(c, largest))]
    known = [cause.onset for cause in able if cause.onset]
    if not known:
        return largest
    limit = max(overload_at or datetime.min, min(known)) + later
    return next((c for c in able if c.onset is None or c.onset <= limit), largest)


def _retries(cause: Cause) -> bool:
    return cause.shed_share > SHED and not cause.newcomer


def _is_small(cause: Cause, largest: Cause) -> bool:
    """Tell whether growth is small beside the largest one, in demand and in requests."""
    return (
        cause.growth_demand < LEAST_OF_TOP * largest.growth_demand
        and cause.growth_rps < LEAST_OF_TOP * largest.growth_rps
    )


def _cause(
    cells: pl.DataFrame,
    totals: Mapping[str, Any],
    onsets: Mapping[tuple[str, str], datetime],
) -> Cause:
    first = cells.row(0, named=True)
    sums = cells.select(pl.selectors.numeric().sum()).row(0, named=True)
    shed = sums["overload_throttled_rps"] - sums["baseline_throttled_rps"]
    return Cause(
        component=first["component"],
        component_kind=first["kind"],
        verb=first["verb"],
        scope=first["scope"],
        resources=_resources(cells, sums),
        growth_rps=sums["growth_rps"],
        growth_demand=sums["growth_demand"],
        share=_part(sums["growth_demand"], totals["growth_demand"]),
        share_of_requests=_part(sums["growth_rps"], totals["growth_rps"]),
        shed_share=_part(shed, sums["growth_rps"]),
        baseline_rps=sums["baseline_rps"],
        newcomer=sums["baseline_rps"] <= 0.05 * sums["overload_rps"],
        onset=onsets.get((first["component"], first["verb"])),
    )


def _resources(cells: pl.DataFrame, sums: Mapping[str, float]) -> tuple[str, ...]:
    """Name the resources that carry the growth, largest first."""
    by_resource = (
        cells.filter(pl.col("resource").is_not_null())
        .group_by("resource")
        .agg(pl.col("growth_rps", "growth_demand").sum())
        .filter(
            (pl.col("growth_demand") > RESOURCE_SHARE * sums["growth_demand"])
            | (pl.col("growth_rps") > RESOURCE_SHARE * sums["growth_rps"])
        )
        .filter((pl.col("growth_rps") > 0) | (pl.col("growth_demand") > 0))
    )
    return tuple(
        by_resource.sort("growth_demand", "resource", descending=[True, False])["resource"]
    )


def _part(amount: float, total: float) -> float:
    return amount / total if total > 0 else 0.0


def _judge(cause: Cause, top: Cause, later: timedelta) -> Cause:
    """Tell primary from induced growth; a cause precedes its effect, and victims retry."""
    why = _why_induced(cause, top, later)
    if why:
        return replace(cause, kind="induced", why=why)
    return replace(cause, kind="primary", why="begins with the first cause and is of its order")


def _why_induced(cause: Cause, top: Cause, later: timedelta) -> str | None:
    if _retries(cause):
        return "its growth is mostly answered 429, so it grows by retrying"
    if cause.growth_demand < LEAST_OF_TOP * top.growth_demand:
        return "too small in demand to have started the overload"
    if cause.onset and top.onset and cause.onset - top.onset > later:
        return "begins after the first cause"
    return None
