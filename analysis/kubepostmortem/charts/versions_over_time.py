"""Which version of each program was seen when."""

from __future__ import annotations

from typing import Literal

import altair as alt
import polars as pl

from kubepostmortem.charts import theme

Align = Literal["left", "right"]
LANE = 36  # pixels: a bar, and its version above it
MOST = 16  # lanes
SHORTEST = 1 / 150  # of the whole time: what was seen once is drawn as well
PROGRAMS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "cloud-controller-manager",
    "kubelet",
    "kube-proxy",
    "kubectl",
)
ALLOWED, TOO_FAR = "within the skew policy", "outside of it"
COLOURS = {ALLOWED: theme.CALM, TOO_FAR: theme.STRONG}
CLOCK = "%Y-%m-%d %H:%M:%S UTC"
PROGRAM_OF_LANE = "split(datum.label, ' ')[0]"


@theme.chart("program", "version", "instances", "first_seen_at", "last_seen_at", "too_far")
def versions_over_time(rows: pl.DataFrame) -> theme.Chart:
    """Draw a bar from the first to the last time of each version, in lanes by program.

    Versions without a time (of node objects) are left out, and the least used ones of many.
    """
    lanes = _lanes(rows)
    if lanes.is_empty():
        nothing: theme.Chart = theme.no_rows()
        return nothing
    axis = alt.Axis(title=None, grid=False, domain=False, ticks=False, labelExpr=PROGRAM_OF_LANE)
    order = alt.Y("lane:N", sort=lanes["lane"].to_list(), axis=axis)
    moments = pl.concat([lanes["first_seen_at"], lanes["drawn_to"]])
    early, late = lanes.filter(~pl.col("late")), lanes.filter("late")
    layers = [_bars(lanes, moments, order)]
    layers += [_names(early, "first_seen_at", "left", moments, order)] if early.height else []
    layers += [_names(late, "drawn_to", "right", moments, order)] if late.height else []
    return alt.layer(*layers).properties(width=theme.WIDTH, height=LANE * lanes.height)


def _bars(lanes: pl.DataFrame, moments: pl.Series, order: alt.Y) -> theme.Layer:
    legend = alt.Legend() if TOO_FAR in lanes["policy"] else None
    return (
        alt.Chart(theme.data(lanes))
        .mark_bar(height=9, cornerRadius=2, yOffset=6)
        .encode(
            x=theme.time_axis("first_seen_at", moments),
            x2="drawn_to:T",
            y=order,
            color=alt.Color("policy:N", scale=theme.fixed(COLOURS), legend=legend),
            tooltip=["program:N", "version:N", "instances:Q", "first:N", "last:N", "policy:N"],
        )
    )


def _names(
    lanes: pl.DataFrame, end: str, align: Align, moments: pl.Series, order: alt.Y
) -> theme.Layer:
    """Write versions above their bars, at the end from which there is room."""
    shown = lanes.select("lane", end, says=pl.format("{} ({})", "version", "instances"))
    text = alt.Chart(theme.data(shown)).mark_text(align=align, dy=-7, fontSize=11, limit=280)
    return text.encode(x=theme.time_axis(end, moments), y=order, text="says:N")


def _lanes(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per program and version, over all clusters, in the order of their roles."""
    ranks = {program: rank for rank, program in enumerate(PROGRAMS)}
    begins, ends = pl.col("first_seen_at"), pl.col("last_seen_at")
    span = ends.max() - begins.min()
    return (
        rows.filter(begins.is_not_null())
        .group_by("program", "version")
        .agg(pl.col("instances").sum(), begins.min(), ends.max(), pl.col("too_far").any())
        .sort("too_far", "instances", "program", "version", descending=[True, True, False, False])
        .head(MOST)
        .with_columns(
            lane=pl.format("{} {}", "program", "version"),
            policy=pl.when("too_far").then(pl.lit(TOO_FAR)).otherwise(pl.lit(ALLOWED)),
            drawn_to=pl.max_horizontal(ends, begins + span * SHORTEST),
            late=begins > begins.min() + span * 0.5,
            first=begins.dt.to_string(CLOCK),
            last=ends.dt.to_string(CLOCK),
            rank=pl.col("program").replace_strict(ranks, default=len(ranks)),
        )
        .sort("rank", "program", "first_seen_at", "version")
        .drop("rank", "too_far")
    )
