"""Load over time in one cluster: its usual level, and since when it was back there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from kubepostmortem.incident import Window, iso
from kubepostmortem.questions.question import Inquiry

NEAR = 1.1  # times the usual load: within it, load is back
STEADY_S = 30.0  # load is judged by means of as long
FEWEST = 3  # intervals in such a mean

LOAD = """
select
    load.cluster, interval_at, any_value(interval_s) as interval_s,
    sum(requests) / any_value(interval_s) as requests_per_s,
    sum(demand_s) / any_value(interval_s) as demand,
    sum(throttled) / any_value(interval_s) as refused_per_s
from load_by_interval as load
join (select cluster, min(begins_at) as begins_at from incident group by cluster) as windows
    on windows.cluster = load.cluster and interval_at >= windows.begins_at
group by load.cluster, interval_at
order by load.cluster, interval_at
"""
WINDOWS = "select cluster, time_window, begins_at, ends_at from incident order by all"


@dataclass(frozen=True, eq=False)
class Curve:
    """Demand (API server seconds per second) per interval in a cluster, from the baseline on.

    rows: interval_at, requests_per_s, demand, refused_per_s, in order, none missing. The last
    interval is left out: the log ends within it.
    """

    cluster: str
    rows: pl.DataFrame
    interval_s: float
    baseline: Window
    overload: Window

    @property
    def usual(self) -> float:
        """Mean demand in the baseline."""
        return self.mean("demand", self.baseline.begins_at, self.baseline.ends_at) or 0.0

    @property
    def overloaded(self) -> float:
        """Mean demand in the overload."""
        return self.mean("demand", self.overload.begins_at, self.overload.ends_at) or 0.0

    @property
    def ends_at(self) -> datetime:
        """End of the last whole interval, UTC."""
        last = self.rows["interval_at"].max()
        assert isinstance(last, datetime)
        return last + timedelta(seconds=self.interval_s)

    def mean(self, column: str, begins_at: datetime, ends_at: datetime) -> float | None:
        """Mean of a column over the intervals that begin in a span; None: there is none."""
        span = self.rows.filter(
            (pl.col("interval_at") >= begins_at) & (pl.col("interval_at") < ends_at)
        )
        found = span[column].mean()
        return float(found) if isinstance(found, int | float) else None

    def ahead(self, steady_s: float = STEADY_S) -> pl.DataFrame:
        """Return interval_at and mean demand from there on over half a minute, whole ones only.

        steady_s: over another time, in seconds, but at least over three intervals.
        """
        width = max(FEWEST, round(steady_s / self.interval_s))
        steady = pl.col("demand").rolling_mean(width).shift(1 - width)
        return self.rows.select("interval_at", steady.alias("demand")).drop_nulls()

    def back_at(self) -> datetime | None:
        """When load was back within 10 % of the usual; None: not until the log ended.

        Only after it was above half-way between usual and overload for the last time.
        """
        steady = self.ahead()
        half = (self.usual + self.overloaded) / 2
        high = steady.filter(pl.col("demand") >= half)["interval_at"].max()
        near = pl.col("demand") <= NEAR * self.usual
        after = steady.filter(near & (pl.col("interval_at") >= self.overload.begins_at))
        if isinstance(high, datetime):
            after = after.filter(pl.col("interval_at") > high)
        first = after["interval_at"].min()
        return first if isinstance(first, datetime) else None

    @property
    def facts(self) -> dict[str, Any]:
        """Plain data, for machines."""
        back = self.back_at()
        return {
            "cluster": self.cluster,
            "baseline_demand": self.usual,
            "overload_demand": self.overloaded,
            "was_overloaded": self.overloaded > NEAR * self.usual,
            "back_at": iso(back) if back else None,
            "log_ends_at": iso(self.ends_at),
        }


def curves(inquiry: Inquiry) -> dict[str, Curve]:
    """Return the load of each cluster that has both windows, by cluster."""
    load = inquiry.frame("load over time", LOAD)
    windows: dict[str, dict[str, Window]] = {}
    for row in inquiry.rows("the two windows", WINDOWS):
        window = Window(row["begins_at"], row["ends_at"])
        windows.setdefault(row["cluster"], {})[row["time_window"]] = window
    return {
        cluster: _curve(cluster, load.filter(pl.col("cluster") == cluster), found)
        for cluster, found in windows.items()
        if len(found) == 2 and load.filter(pl.col("cluster") == cluster).height > 1
    }


def _curve(cluster: str, load: pl.DataFrame, windows: dict[str, Window]) -> Curve:
    interval_s = float(load["interval_s"].to_list()[0])
    numbers = pl.col("requests_per_s", "demand", "refused_per_s").cast(pl.Float64)
    rows = (
        load.select("interval_at", numbers)
        .upsample("interval_at", every=f"{int(interval_s)}s")
        .with_columns(pl.all().exclude("interval_at").fill_null(0.0))
        .head(-1)
    )
    return Curve(cluster, rows, interval_s, windows["baseline"], windows["overload"])
