"""Load over time by component, counted in demand or in requests."""

from __future__ import annotations

import polars as pl

from kubepostmortem.charts import theme
from kubepostmortem.charts.over_time import OTHERS, largest, lumped, per_second, stacked

COLUMNS = ("interval_at", "interval_s", "component", "requests", "demand_s")


@theme.chart(*COLUMNS)
def load_over_time(rows: pl.DataFrame) -> theme.Chart:
    """Stack demand per second by component."""
    return _stack(rows, "demand_s", "Demand, API server seconds per second")


@theme.chart(*COLUMNS)
def requests_over_time(rows: pl.DataFrame) -> theme.Chart:
    """Stack requests per second by component."""
    return _stack(rows, "requests", "Requests per second")


def _stack(rows: pl.DataFrame, amount: str, unit: str) -> theme.Chart:
    """Name the components that ask for most, in the same colours whatever is counted."""
    rates, width = per_second(rows, amount, "component")
    names = _prominent(rows)
    parts = lumped(rates, names)
    others = OTHERS if OTHERS in parts["name"] else None
    return stacked(parts, width, theme.ranked(names, others), unit)


def _prominent(rows: pl.DataFrame) -> list[str]:
    """Name six at most, largest first by demand and by requests; first of all what rose most.

    The first has the strong colour, and what the overload came from is what rose most in demand
    from the first half of the time to the second.
    """
    demand = per_second(rows, "demand_s", "component")[0]
    by_demand, by_requests = largest(demand), largest(per_second(rows, "requests", "component")[0])
    names = dict.fromkeys([*_rose_most(demand), *by_demand[:3], *by_requests[:3], *by_demand])
    return list(names)[:6]


def _rose_most(rates: pl.DataFrame) -> list[str]:
    begins, ends = rates["at"].min(), rates["at"].max()
    middle = begins + (ends - begins) / 2  # type: ignore[operator]
    later = pl.when(pl.col("at") >= middle).then(pl.col("rate")).otherwise(-pl.col("rate"))
    rises = rates.group_by("name").agg(later.sum().alias("rise")).filter(pl.col("rise") > 0)
    return rises.sort("rise", "name", descending=[True, False])["name"].head(1).to_list()
