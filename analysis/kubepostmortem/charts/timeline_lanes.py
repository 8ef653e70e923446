"""What happened, in one lane per kind."""

from __future__ import annotations

import altair as alt
import polars as pl

from kubepostmortem.charts import theme

LANES = ("window", "deploy", "change", "throttling", "lockout", "event", "note")
URGENT = ("throttling", "lockout")
WINDOWS = {"baseline": theme.CALM, "overload": theme.STRONG}


@theme.chart("happened_at", "kind", "title", "detail")
def timeline_lanes(rows: pl.DataFrame) -> theme.Chart:
    """Draw a tick for everything that happened, and a bar for each window."""
    kinds = _order(rows["kind"].unique().to_list())
    lanes = _lanes(kinds)
    moments = rows["happened_at"]
    windows, events = _windows(rows), rows.filter(pl.col("kind") != "window")
    begins = theme.time_axis("begins_at", moments)
    layers = []
    if not windows.is_empty():
        layers += [draw(windows).encode(x=begins, y=lanes) for draw in (_bars, _names)]
    if not events.is_empty():
        happened = theme.time_axis("happened_at", moments)
        layers.append(_ticks(events).encode(x=happened, y=lanes))
    return alt.layer(*layers).properties(width=theme.WIDTH, height=34 * len(kinds))


def _order(kinds: list[str]) -> list[str]:
    known = [kind for kind in LANES if kind in kinds]
    return known + sorted(set(kinds) - set(known))


def _lanes(kinds: list[str]) -> alt.Y:
    axis = alt.Axis(
        title=None,
        domain=False,
        ticks=False,
        grid=True,
        labelColor=theme.INK,
        labelFontSize=12,
    )
    return alt.Y("kind:N", scale=alt.Scale(domain=kinds), axis=axis)


def _windows(rows: pl.DataFrame) -> pl.DataFrame:
    """Pair each window's beginning with its end; the timeline has a row for either."""
    cluster = pl.col("cluster") if "cluster" in rows.columns else pl.lit("").alias("cluster")
    windows = rows.filter(pl.col("kind") == "window").select(
        cluster, "kind", "title", "detail", "happened_at"
    )
    begins = _named(windows, " begins", "begins_at")
    ends = _named(windows, " ends", "ends_at").select("cluster", "window", "ends_at")
    return begins.join(ends, on=["cluster", "window"]).sort("begins_at", "cluster", "window")


def _named(windows: pl.DataFrame, suffix: str, time: str) -> pl.DataFrame:
    ours = windows.filter(pl.col("title").str.ends_with(suffix))
    name = pl.col("title").str.strip_suffix(suffix).alias("window")
    return ours.with_columns(name).rename({"happened_at": time}).drop("title")


def _bars(windows: pl.DataFrame) -> theme.Layer:
    return (
        alt.Chart(theme.data(windows))
        .transform_calculate(begins=theme.clock("begins_at"), ends=theme.clock("ends_at"))
        .mark_bar(height=18, cornerRadius=3)
        .encode(
            x2="ends_at:T",
            color=alt.Color("window:N", scale=theme.fixed(WINDOWS), legend=None),
            tooltip=["window:N", "begins:N", "ends:N"],
        )
    )


def _names(windows: pl.DataFrame) -> theme.Layer:
    return (
        alt.Chart(theme.data(windows))
        .mark_text(align="left", dx=7, fontSize=11, fontWeight=600, color=theme.PAPER)
        .encode(text="window:N")
    )


def _ticks(events: pl.DataFrame) -> theme.Layer:
    urgent = events.with_columns(urgent=pl.col("kind").is_in(URGENT))
    return (
        alt.Chart(theme.data(urgent))
        .transform_calculate(time=theme.clock("happened_at"))
        .mark_tick(thickness=2.5, height=18)
        .encode(
            color=alt.condition("datum.urgent", alt.value(theme.STRONG), alt.value(theme.CALM)),
            tooltip=["time:N", "kind:N", "title:N", "detail:N"],
        )
    )
