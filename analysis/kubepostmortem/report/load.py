"""Load before and during the overload, for the report."""

from __future__ import annotations

from typing import Any

import polars as pl

from kubepostmortem.questions.question import Figure, Inquiry
from kubepostmortem.report import cells
from kubepostmortem.report.drawing import Drawing

MOST = 15

BY_WINDOW = """
select
    component, verb,
    sum(baseline_rps) as baseline_rps, sum(overload_rps) as overload_rps,
    sum(baseline_demand) as baseline_demand, sum(overload_demand) as overload_demand
from load_by_window
group by all
order by sum(overload_demand - baseline_demand) desc, component, verb
"""

OVER_TIME = """
select
    interval_at, interval_s, component,
    sum(requests) as requests, sum(demand_s) as demand_s,
    sum(throttled) as throttled, sum(failed) as failed
from load_by_interval
group by all
order by all
"""


def values(inquiry: Inquiry) -> dict[str, Any]:
    """Return drawings and a table; both empty where the evidence has no requests."""
    windows = inquiry.frame("load in both windows by component and verb", BY_WINDOW)
    over_time = inquiry.frame("load and answers over time by component", OVER_TIME)
    return {
        "drawings": [*_before_after(windows), *_over_time(over_time)],
        "grid": None if windows.is_empty() else _table(windows),
        "rest": max(windows.height - MOST, 0),
    }


def _before_after(windows: pl.DataFrame) -> list[Drawing]:
    if windows.is_empty():
        return []
    top = windows.row(0, named=True)
    says = (
        f"{top['component']} {top['verb']}: demand from {cells.number(top['baseline_demand'])} to "
        f"{cells.number(top['overload_demand'])} seconds per second, requests from "
        f"{cells.number(top['baseline_rps'])} to {cells.number(top['overload_rps'])} per second"
    )
    return [Drawing(Figure("before_after", says, windows))]


def _over_time(load: pl.DataFrame) -> list[Drawing]:
    if load.is_empty():
        return []
    answers = load.group_by("interval_at", "interval_s", maintain_order=True).agg(
        pl.col("requests", "throttled", "failed").sum()
    )
    totals = answers.select(pl.col("requests", "throttled", "failed").sum()).row(0, named=True)
    return [
        Drawing(Figure("requests_over_time", "Requests over time by component", load)),
        Drawing(Figure("throttling", _refusals(totals), answers)),
    ]


def _refusals(totals: dict[str, Any]) -> str:
    requests = float(totals["requests"]) or 1.0
    throttled = cells.percent(float(totals["throttled"]) / requests)
    failed = cells.percent(float(totals["failed"]) / requests)
    return f"{throttled} of all requests were answered 429, {failed} with a server error"


def _table(windows: pl.DataFrame) -> cells.Grid:
    growth = pl.col("overload_demand") - pl.col("baseline_demand")
    columns = windows.head(MOST).select(
        "component",
        "verb",
        "baseline_demand",
        "overload_demand",
        (growth / growth.sum()).alias("share_of_growth"),
        "baseline_rps",
        "overload_rps",
    )
    return cells.grid("Load in both windows, largest growth of demand first", columns)
