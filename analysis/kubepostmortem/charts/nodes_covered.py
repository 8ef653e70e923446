"""How many nodes a rollout had reached, and how many had called, over time."""

from __future__ import annotations

import altair as alt
import polars as pl

from kubepostmortem.charts import theme

CALLED, REACHED = "nodes that called", "nodes with a new pod"
COLOURS = {REACHED: theme.CALM, CALLED: theme.STRONG}


@theme.chart("part", "interval_at", "nodes")
def nodes_covered(rows: pl.DataFrame) -> theme.Chart:
    """Draw one rising step line per part."""
    shown = rows.filter(pl.col("part").is_in(list(COLOURS))).sort("part", "interval_at")
    base = (
        alt.Chart(theme.data(shown))
        .transform_calculate(time=theme.clock("interval_at"))
        .encode(
            x=theme.time_axis("interval_at", rows["interval_at"]),
            y=alt.Y("nodes:Q", axis=alt.Axis(title="Nodes", tickCount=4, format="~s")),
            color=alt.Color(
                "part:N", scale=theme.fixed(COLOURS), legend=alt.Legend(title=None, columns=1)
            ),
            tooltip=[
                alt.Tooltip("time:N", title="time"),
                alt.Tooltip("part:N"),
                alt.Tooltip("nodes:Q", format=",.0f"),
            ],
        )
    )
    line = base.mark_line(interpolate="step-after", strokeWidth=2)
    dots: theme.Chart = alt.layer(line, base.mark_point(filled=True, size=30, opacity=1))
    return dots.properties(width=theme.WIDTH, height=180)
