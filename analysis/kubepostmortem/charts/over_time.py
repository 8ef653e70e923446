"""Steps over time: what charts of load per second share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import altair as alt
import polars as pl

from kubepostmortem.charts import theme

OTHERS = "others"
MOST = 6


def per_second(rows: pl.DataFrame, amount: str, by: str) -> tuple[pl.DataFrame, int]:
    """Return rows at, name, rate (amount per second) on one grid, and its width in seconds.

    Clusters may count in intervals of different widths: all are brought to the widest.
    """
    width = int(rows["interval_s"].max() or 1)  # type: ignore[arg-type]
    rates = (
        rows.select(
            pl.col("interval_at").dt.truncate(f"{width}s").alias("at"),
            pl.col(by).alias("name"),
            (pl.col(amount).cast(pl.Float64) / width).alias("rate"),
        )
        .group_by("at", "name")
        .agg(pl.col("rate").sum())
    )
    return rates.sort("at", "name"), width


def largest(rates: pl.DataFrame, most: int = MOST) -> list[str]:
    """Names with the largest totals, largest first."""
    totals = rates.group_by("name").agg(pl.col("rate").sum())
    ranked = totals.filter(pl.col("rate") > 0).sort("rate", "name", descending=[True, False])
    return ranked["name"].head(most).to_list()


def lumped(rates: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """Put every name that is not listed into others."""
    name = pl.when(pl.col("name").is_in(names)).then("name").otherwise(pl.lit(OTHERS))
    grouped = rates.with_columns(name.alias("name")).group_by("at", "name")
    return grouped.agg(pl.col("rate").sum()).sort("at", "name")


def with_zeros(rows: pl.DataFrame, time: str, amounts: Sequence[str]) -> pl.DataFrame:
    """Sort rows by time and put zeros where intervals are missing, so that steps come down."""
    width = rows[time].unique().sort().diff().drop_nulls().min()
    if width is None:
        return rows
    ends = rows.select(pl.col(time) + width).unique()
    gaps = ends.join(rows, on=time, how="anti").with_columns(pl.lit(0.0).alias(a) for a in amounts)
    return pl.concat([rows, gaps], how="diagonal_relaxed").sort(time)


def stacked(rates: pl.DataFrame, width: int, colours: Mapping[str, str], unit: str) -> theme.Chart:
    """Stack steps over time in these colours; hovering an interval names every part of it."""
    grid = _on_grid(rates, list(colours), width)
    areas = (
        alt.Chart(theme.data(grid))
        .mark_area(interpolate="step-after", line=False)
        .encode(
            x=theme.time_axis("at", grid["at"]),
            y=alt.Y("rate:Q", title=unit, axis=alt.Axis(tickCount=5, format="~s")),
            color=alt.Color("name:N", scale=theme.fixed(colours)),
            order=alt.Order("rank:Q"),
        )
    )
    return alt.layer(areas, _hover(grid, width)).properties(width=theme.WIDTH, height=230)


def _on_grid(rates: pl.DataFrame, names: list[str], width: int) -> pl.DataFrame:
    """One row per interval and name, zero where nothing was counted; rank is the order of names."""
    ends = rates["at"].unique() + timedelta(seconds=width)
    times = pl.concat([rates["at"], ends]).unique().sort().to_frame("at")
    ranks = pl.DataFrame({"name": names, "rank": range(len(names))})
    cells = times.join(ranks, how="cross")
    filled = cells.join(rates, on=["at", "name"], how="left").with_columns(
        pl.col("rate").fill_null(0.0)
    )
    return filled.sort("at", "rank")


def _hover(grid: pl.DataFrame, width: int) -> theme.Layer:
    """Bars that are only seen under the pointer and carry the tooltip of their interval."""
    pointed = alt.selection_point(name="pointed", on="pointerover", clear="pointerout", empty=False)
    return (
        alt.Chart(alt.InlineData(values=_tips(grid, width)))
        .mark_rect(color=theme.INK)
        .encode(
            x="at:T",
            x2="ends_at:T",
            opacity=alt.condition(pointed, alt.value(0.12), alt.value(0)),
            tooltip=alt.Tooltip("tip:N"),
        )
        .add_params(pointed)
    )


def _tips(grid: pl.DataFrame, width: int) -> list[dict[str, Any]]:
    """Tooltips as data: names from logs never become part of a Vega expression."""
    tips = []
    for (at,), parts in grid.group_by("at", maintain_order=True):
        assert isinstance(at, datetime)
        rates = parts.filter(pl.col("rate") > 0).select("name", "rate").iter_rows()
        tip = {"time": f"{at:%Y-%m-%d %H:%M:%S} UTC", **{n: f"{rate:.3g}" for n, rate in rates}}
        ends_at = at + timedelta(seconds=width)
        tips.append({"at": f"{at.isoformat()}Z", "ends_at": f"{ends_at.isoformat()}Z", "tip": tip})
    return tips
