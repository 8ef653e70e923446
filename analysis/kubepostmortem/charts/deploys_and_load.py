"""Deploys on the curve of the load: which one it grew after."""

from __future__ import annotations

import altair as alt
import polars as pl

from kubepostmortem.charts import theme
from kubepostmortem.charts.over_time import with_zeros

CAUSE = "cause"


@theme.chart("layer", "happened_at", "demand", "service", "verdict")
def deploys_and_load(rows: pl.DataFrame) -> theme.Chart:
    """Draw the load, a strong rule where the cause was deployed, grey ticks for the others."""
    load = rows.filter(pl.col("layer") == "load").pipe(with_zeros, "happened_at", ("demand",))
    deploys = rows.filter(pl.col("layer") == "deploy").sort("happened_at")
    is_cause = pl.col("verdict").fill_null("") == CAUSE
    moments = rows["happened_at"]
    layers = [
        layer
        for part, draw in (
            (load.select("happened_at", "demand"), _area),
            (deploys.filter(~is_cause), _others),
            (deploys.filter(is_cause), _cause),
        )
        for layer in ([] if part.is_empty() else draw(part, moments))
    ]
    return alt.layer(*layers).properties(width=theme.WIDTH, height=240)


def _area(load: pl.DataFrame, moments: pl.Series) -> list[theme.Layer]:
    title = "Demand, API server seconds per second"
    area = (
        alt.Chart(theme.data(load))
        .mark_area(
            interpolate="step-after", color=theme.CALM, opacity=0.22, line={"color": theme.CALM}
        )
        .encode(
            x=theme.time_axis("happened_at", moments),
            y=alt.Y("demand:Q", axis=alt.Axis(title=title, tickCount=5, format="~s")),
        )
    )
    return [area]


def _others(deploys: pl.DataFrame, moments: pl.Series) -> list[theme.Layer]:
    base = _timed(deploys, moments)
    return [
        base.mark_rule(color=theme.MUTED, strokeWidth=1.5, opacity=0.75).encode(
            y=alt.value(0), y2=alt.value(14)
        ),
        _target(base),
    ]


def _cause(deploys: pl.DataFrame, moments: pl.Series) -> list[theme.Layer]:
    base = _timed(deploys, moments)
    return [
        base.mark_rule(color=theme.STRONG, strokeWidth=2.5),
        base.mark_text(
            align="right", baseline="top", dx=-6, fontWeight=600, color=theme.STRONG
        ).encode(y=alt.value(18), text="service:N"),
        _target(base),
    ]


def _target(base: theme.Layer) -> theme.Layer:
    """Give a thin rule a tooltip that is easy to hit."""
    tooltip = [
        alt.Tooltip("service:N"),
        alt.Tooltip("time:N", title="applied"),
        alt.Tooltip("verdict:N"),
    ]
    return base.mark_rule(strokeWidth=9, opacity=0).encode(tooltip=tooltip)


def _timed(deploys: pl.DataFrame, moments: pl.Series) -> theme.Layer:
    shown = deploys.select("happened_at", "service", "verdict")
    chart = alt.Chart(theme.data(shown)).transform_calculate(time=theme.clock("happened_at"))
    return chart.encode(x=theme.time_axis("happened_at", moments))
