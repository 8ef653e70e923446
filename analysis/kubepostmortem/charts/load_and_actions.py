"""Load over time, and what people did: which action was accepted, and what followed."""

from __future__ import annotations

import altair as alt
import polars as pl

from kubepostmortem.charts import panels, theme
from kubepostmortem.charts.over_time import with_zeros

ACCEPTED, NOT_ACCEPTED, MARK = "action, accepted", "action, not accepted", "milestone"
DEMAND, REFUSED = "demand", "refused (429)"
AREAS = {DEMAND: theme.CALM, REFUSED: theme.SERIES[3]}
COLOURS = {
    ACCEPTED: theme.SERIES[2],
    NOT_ACCEPTED: theme.STRONG,
    MARK: theme.MUTED,
}
HEIGHT, STRIP = 200, 60  # pixels


@theme.chart("layer", "happened_at", "demand", "refused_per_s", "number", "title", "outcome")
def load_and_actions(rows: pl.DataFrame) -> theme.Chart:
    """Draw demand above, refusals below, and a numbered rule for each action and milestone.

    layer is load or action; outcome is accepted, milestone or anything else, which counts as not
    accepted.
    """
    load = rows.filter(pl.col("layer") == "load").pipe(
        with_zeros, "happened_at", ("demand", "refused_per_s")
    )
    actions = _named(rows.filter(pl.col("layer") == "action").sort("happened_at"))
    moments = rows["happened_at"]
    demand = "API server seconds per second"
    panel = [
        _panel(load, actions, moments, "demand", DEMAND, demand, HEIGHT),
        _panel(load, actions, moments, "refused_per_s", REFUSED, "answered 429 per second", STRIP),
    ]
    return alt.vconcat(*panel, spacing=30)


def _named(actions: pl.DataFrame) -> pl.DataFrame:
    kinds = pl.col("outcome").replace_strict(
        {"accepted": ACCEPTED, "milestone": MARK}, default=NOT_ACCEPTED, return_dtype=pl.String
    )
    return actions.with_columns(part=kinds)


def _panel(
    load: pl.DataFrame,
    actions: pl.DataFrame,
    moments: pl.Series,
    field: str,
    name: str,
    unit: str,
    height: int,
) -> theme.Layer:
    is_last = field == "refused_per_s"
    x = panels.time("happened_at", moments, is_last)
    axis = alt.Axis(
        title=None, tickCount=4, format="~s", minExtent=panels.EXTENT, maxExtent=panels.EXTENT
    )
    layers = [panels.heading(name, unit)]
    if not load.is_empty():
        area = alt.Chart(theme.data(load.select("happened_at", field))).mark_area(
            interpolate="step-after",
            color=AREAS[name],
            opacity=0.35,
            line={"color": AREAS[name], "strokeWidth": 1.3},
        )
        layers.append(area.encode(x=x, y=alt.Y(f"{field}:Q", axis=axis)))
    if not actions.is_empty():
        layers += _rules(actions, x, numbered=not is_last)
    return alt.layer(*layers).properties(width=theme.WIDTH, height=height)


def _colour() -> alt.Color:
    legend = alt.Legend(columns=2, symbolType="stroke", labelLimit=200)
    return alt.Color("part:N", scale=theme.fixed(COLOURS), legend=legend)


def _rules(actions: pl.DataFrame, x: alt.X, numbered: bool) -> list[theme.Layer]:
    shown = actions.select("happened_at", "number", "title", "outcome", "part")
    base = (
        alt.Chart(theme.data(shown))
        .transform_calculate(time=theme.clock("happened_at"))
        .encode(x=x)
    )
    rule = base.mark_rule(strokeWidth=1.6).encode(color=_colour())
    number = base.mark_text(align="left", baseline="top", dx=3, fontSize=11, fontWeight=600).encode(
        y=alt.value(2), text="number:N", color=_colour()
    )
    tooltip = [
        alt.Tooltip("time:N", title="time"),
        alt.Tooltip("title:N"),
        alt.Tooltip("outcome:N"),
    ]
    target = base.mark_rule(strokeWidth=9, opacity=0).encode(tooltip=tooltip)
    return [rule, number, target] if numbered else [rule, target]
