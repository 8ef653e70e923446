"""How each component reads: watches, pages, lists of everything."""

from __future__ import annotations

import altair as alt
import polars as pl

from kubepostmortem.charts import theme

MOST = 10
# Shapes as the macro request_shape words them, the costliest first and in the warmest colour.
COLOURS = {
    "list all, most recent": theme.STRONG,
    "list all, from cache": theme.SERIES[3],
    "watch with initial list": theme.YELLOW,
    "list a namespace": theme.SOFT,
    "list with selector": theme.SERIES[5],
    "list in pages": theme.SERIES[4],
    "get one object": theme.CALM,
    "watch": theme.SERIES[2],
}


@theme.chart("component", "shape", "requests")
def request_shape(rows: pl.DataFrame) -> theme.Chart:
    """Stack the shapes of each component's requests to 100 %."""
    shown = _shares(rows)
    shapes = _order(shown["shape"].unique().to_list())
    colours = theme.fixed({shape: COLOURS.get(shape, theme.OTHERS) for shape in shapes})
    sized = {"width": theme.WIDTH, "height": 30 * shown["component"].n_unique()}
    bars: theme.Chart = (
        alt.Chart(theme.data(_with_rank(shown, shapes)))
        .mark_bar(height=18)
        .encode(
            x=_share_axis(),
            y=_components(),
            color=alt.Color("shape:N", scale=colours),
            order=alt.Order("rank:Q"),
            tooltip=_tooltip(),
        )
        .properties(**sized)
    )
    return bars


def _shares(rows: pl.DataFrame) -> pl.DataFrame:
    """Keep the busiest components, busiest first, with the share of each shape."""
    counts = rows.group_by("component", "shape").agg(pl.col("requests").cast(pl.Float64).sum())
    total = pl.col("requests").sum().over("component")
    with_total = counts.with_columns(total.alias("total")).filter(pl.col("total") > 0)
    busiest = (
        with_total.select("component", "total")
        .unique()
        .sort("total", "component", descending=[True, False])["component"]
        .head(MOST)
    )
    kept = with_total.filter(pl.col("component").is_in(busiest.to_list()))
    return kept.with_columns(share=pl.col("requests") / pl.col("total")).sort(
        "total", "component", "shape", descending=[True, False, False]
    )


def _with_rank(shown: pl.DataFrame, shapes: list[str]) -> pl.DataFrame:
    ranks = pl.DataFrame({"shape": shapes, "rank": range(len(shapes))})
    return shown.join(ranks, on="shape", maintain_order="left")


def _order(shapes: list[str]) -> list[str]:
    """Costly shapes begin at the left; writes, which are no reads, come last."""
    known = [shape for shape in COLOURS if shape in shapes]
    return known + sorted(set(shapes) - set(known))


def _share_axis() -> alt.X:
    axis = alt.Axis(title="Share of the component's requests", format=".0%", tickCount=5)
    return alt.X("share:Q", axis=axis, scale=alt.Scale(domain=[0, 1]))


def _components() -> alt.Y:
    axis = alt.Axis(
        title=None,
        domain=False,
        ticks=False,
        labelColor=theme.INK,
        labelFontSize=12,
    )
    return alt.Y("component:N", sort=None, axis=axis)


def _tooltip() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("component:N"),
        alt.Tooltip("shape:N"),
        alt.Tooltip("share:Q", format=".2~%"),
        alt.Tooltip("requests:Q", format=",.0f"),
    ]
