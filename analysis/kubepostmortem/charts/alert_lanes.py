"""Alerts in lanes over time: pending and firing, with the waves of a rollout and the impact."""

from __future__ import annotations

import altair as alt
import polars as pl

from kubepostmortem.charts import theme

MOST = 14  # lanes; those that speak first
PENDING, FIRING, WAVE, IMPACT, OVERLOAD = "pending", "firing", "wave", "impact", "overload"
COLOURS = {PENDING: theme.SOFT, FIRING: theme.STRONG, WAVE: theme.CALM}
MOST_WIDTHS = 200  # a span is never drawn narrower than this part of the whole
LANE, BAR = 22, 12  # pixels


@theme.chart("lane", "kind", "began_at", "ended_at", "detail")
def alert_lanes(rows: pl.DataFrame) -> theme.Chart:
    """Draw a lane per alert, those first that fired first in the overload.

    Rows: kind pending, firing and wave have a lane and a span; impact is a moment; overload is the
    window, which gives the range of time together with half of its length before and after it.
    """
    rows = _within(rows)
    lanes = _order(rows)
    height = LANE * max(len(lanes), 1)
    bars = rows.filter(pl.col("lane").is_in(lanes))
    layers = [_window(rows, height)] if (rows["kind"] == OVERLOAD).any() else []
    if lanes:
        layers.append(_bars(bars, lanes, rows))
    if (rows["kind"] == IMPACT).any():
        layers += _impact(rows, height)
    return alt.layer(*layers).properties(width=theme.WIDTH, height=height)


def _within(rows: pl.DataFrame) -> pl.DataFrame:
    """Cut spans at the range of time, and let none be too short to see."""
    window = rows.filter(pl.col("kind") == OVERLOAD)
    if window.is_empty():
        return rows
    margin = (window["ended_at"] - window["began_at"]) / 2
    first, last = (window["began_at"] - margin)[0], (window["ended_at"] + margin)[0]
    reaching = rows.filter((pl.col("ended_at") >= first) & (pl.col("began_at") <= last))
    cut = reaching.with_columns(
        pl.col("began_at").clip(lower_bound=first), pl.col("ended_at").clip(upper_bound=last)
    )
    shortest = pl.col("began_at") + (last - first) / MOST_WIDTHS
    return cut.with_columns(
        ended_at=pl.when(pl.col("lane") != "")
        .then(pl.max_horizontal("ended_at", shortest))
        .otherwise("ended_at")
    )


def _order(rows: pl.DataFrame) -> list[str]:
    """Waves, then alerts that fire in the overload, then others, by when they did so first."""
    begins = rows.filter(pl.col("kind") == OVERLOAD)["began_at"].min()
    late = pl.lit(True) if begins is None else pl.col("began_at") >= begins
    spoken = (
        rows.filter(pl.col("lane") != "")
        .group_by("lane")
        .agg(
            waves=(pl.col("kind") == WAVE).any(),
            fired=pl.col("began_at").filter((pl.col("kind") == FIRING) & late).min(),
            began=pl.col("began_at").min(),
        )
    )
    order = spoken.sort(
        ["waves", "fired", "began", "lane"],
        descending=[True, False, False, False],
        nulls_last=True,
    )
    return order["lane"].to_list()[:MOST]


def _lanes(names: list[str]) -> alt.Y:
    axis = alt.Axis(
        title=None, domain=False, ticks=False, grid=True, labelColor=theme.INK, labelLimit=190
    )
    return alt.Y("lane:N", scale=alt.Scale(domain=names), axis=axis)


def _bars(bars: pl.DataFrame, lanes: list[str], rows: pl.DataFrame) -> theme.Layer:
    moments = pl.concat([rows["began_at"], rows["ended_at"]])
    used = {kind: colour for kind, colour in COLOURS.items() if (bars["kind"] == kind).any()}
    return (
        alt.Chart(theme.data(bars))
        .transform_calculate(from_time=theme.clock("began_at"), to_time=theme.clock("ended_at"))
        .mark_bar(height=BAR, cornerRadius=2)
        .encode(
            x=theme.time_axis("began_at", moments),
            x2="ended_at:T",
            y=_lanes(lanes),
            color=alt.Color("kind:N", scale=theme.fixed(used)),
            tooltip=[
                alt.Tooltip("lane:N", title="alert"),
                alt.Tooltip("kind:N", title="state"),
                alt.Tooltip("from_time:N", title="from"),
                alt.Tooltip("to_time:N", title="to"),
                alt.Tooltip("detail:N", title="of"),
            ],
        )
    )


def _window(rows: pl.DataFrame, height: int) -> theme.Layer:
    window = rows.filter(pl.col("kind") == OVERLOAD)
    band = alt.Chart(theme.data(window)).mark_rect(color=theme.HAIR, opacity=0.45)
    moments = pl.concat([rows["began_at"], rows["ended_at"]])
    return band.encode(
        x=theme.time_axis("began_at", moments),
        x2="ended_at:T",
        y=alt.value(0),
        y2=alt.value(height),
    )


def _impact(rows: pl.DataFrame, height: int) -> list[theme.Layer]:
    felt = alt.Chart(theme.data(rows.filter(pl.col("kind") == IMPACT))).encode(
        x=theme.time_axis("began_at", pl.concat([rows["began_at"], rows["ended_at"]])),
        tooltip=[alt.Tooltip("detail:N", title="impact")],
    )
    rule = felt.mark_rule(color=theme.INK, strokeWidth=1.6, strokeDash=[4, 3])
    name = felt.mark_text(align="left", dx=4, dy=-7, color=theme.INK, fontSize=11)
    return [
        rule.encode(y=alt.value(0), y2=alt.value(height)),
        name.encode(y=alt.value(0), text=alt.value("users feel it")),
    ]
