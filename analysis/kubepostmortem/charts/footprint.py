"""How many nodes called, and how often, over time."""

from __future__ import annotations

import altair as alt
import polars as pl

from kubepostmortem.charts import theme
from kubepostmortem.charts.over_time import with_zeros


@theme.chart("interval_at", "nodes", "requests_per_s")
def footprint(rows: pl.DataFrame) -> theme.Chart:
    """Draw two panels over one time axis: nodes that called, and requests per second."""
    ordered = with_zeros(rows, "interval_at", ("nodes", "requests_per_s"))
    nodes = _panel(ordered, "nodes", "Nodes calling", theme.CALM, ",.0f")
    requests = _panel(ordered, "requests_per_s", "Requests per second", theme.STRONG, ",.3~r")
    return alt.vconcat(nodes, requests, spacing=18)


def _panel(rows: pl.DataFrame, amount: str, title: str, colour: str, digits: str) -> theme.Layer:
    axis = alt.Axis(title=title, tickCount=4, format="~s", minExtent=46, maxExtent=46)
    base = (
        alt.Chart(theme.data(rows))
        .transform_calculate(time=theme.clock("interval_at"))
        .encode(
            x=theme.time_axis("interval_at", rows["interval_at"]),
            y=alt.Y(f"{amount}:Q", axis=axis),
        )
    )
    area = base.mark_area(
        interpolate="step-after", color=colour, opacity=0.25, line={"color": colour}
    )
    return alt.layer(area, _hover(base, amount, title, digits)).properties(
        width=theme.WIDTH, height=120
    )


def _hover(base: theme.Layer, amount: str, title: str, digits: str) -> theme.Layer:
    """Wide invisible rules carry the tooltips: an area knows only its first row."""
    tooltip = [
        alt.Tooltip("time:N", title="time"),
        alt.Tooltip(f"{amount}:Q", title=title.lower(), format=digits),
    ]
    return base.mark_rule(strokeWidth=6, opacity=0).encode(y2=alt.datum(0), tooltip=tooltip)
