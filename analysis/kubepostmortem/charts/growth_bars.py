"""Who grew: each component's share of the growth, in demand and in requests."""

from __future__ import annotations

import altair as alt
import polars as pl

from kubepostmortem.charts import theme

MOST = 12
COLOURS = {"primary": theme.STRONG, "induced": theme.SOFT}
TICKS = [0, 0.25, 0.5, 0.75, 1]
TITLE = "Share of the growth: wide bars demand, narrow grey bars requests"


@theme.chart(
    "component",
    "verb",
    "resources",
    "kind",
    "share_of_demand",
    "share_of_requests",
    "onset",
    "why",
)
def growth_bars(rows: pl.DataFrame) -> theme.Chart:
    """Draw a wide bar of the share of demand, and a narrow grey one of the share of requests."""
    base = alt.Chart(theme.data(_labelled(rows.head(MOST)))).encode(y=_names())
    most = float(rows.select(pl.max_horizontal(pl.col("^share_of_.*$").max())).item())
    demand = _bar(base, "share_of_demand", most, 16, -6).encode(color=_kinds(rows))
    requests = _bar(base, "share_of_requests", most, 6, 9).encode(color=alt.value(theme.OTHERS))
    labels = [
        _label(base, "share_of_demand", "demand_label", -6, theme.INK, 12),
        _label(base, "share_of_requests", "requests_label", 9, theme.MUTED, 11),
    ]
    height = 52 * min(rows.height, MOST)
    return alt.layer(demand, requests, *labels).properties(width=theme.WIDTH, height=height)


def _labelled(rows: pl.DataFrame) -> pl.DataFrame:
    began = pl.col("onset").cast(pl.Datetime("us")).dt.to_string("%Y-%m-%d %H:%M:%S UTC")
    return rows.with_columns(
        pl.format("{} {}\n{}", "component", "verb", "resources").alias("who"),
        began.fill_null("not known").alias("began"),
    ).drop("onset")


def _names() -> alt.Y:
    axis = theme.names_in_lines(labelFontSize=12, labelLineHeight=15, labelPadding=10)
    return alt.Y("who:N", sort=None, axis=axis)


def _kinds(rows: pl.DataFrame) -> alt.Color:
    kinds = list(dict.fromkeys(rows["kind"].to_list()))
    colours = {str(kind): COLOURS.get(str(kind), theme.OTHERS) for kind in kinds}
    return alt.Color("kind:N", scale=theme.fixed(colours))


def _bar(base: theme.Layer, share: str, most: float, height: int, offset: int) -> theme.Layer:
    scale = alt.Scale(domainMax=1.17 * max(1.0, most), nice=False)
    axis = alt.Axis(title=TITLE, format=".0%", values=TICKS, grid=False, domain=False, ticks=False)
    return base.mark_bar(height=height, yOffset=offset, cornerRadiusEnd=2).encode(
        x=alt.X(f"{share}:Q", axis=axis, scale=scale),
        tooltip=[
            alt.Tooltip("component:N"),
            alt.Tooltip("verb:N"),
            alt.Tooltip("resources:N"),
            alt.Tooltip("share_of_demand:Q", title="share of demand", format=".2~%"),
            alt.Tooltip("share_of_requests:Q", title="share of requests", format=".2~%"),
            alt.Tooltip("began:N", title="began"),
            alt.Tooltip("kind:N"),
            alt.Tooltip("why:N"),
        ],
    )


def _label(
    base: theme.Layer, share: str, name: str, offset: int, colour: str, size: int
) -> theme.Layer:
    text = f"format(datum['{share}'], '.2~p')"
    return (
        base.transform_calculate(**{name: text})
        .mark_text(align="left", dx=6, yOffset=offset, color=colour, fontSize=size)
        .encode(x=f"{share}:Q", text=f"{name}:N")
    )
