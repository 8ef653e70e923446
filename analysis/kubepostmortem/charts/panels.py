"""Panels one above the other, each with its name and one fact: what charts of groups share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import altair as alt
import polars as pl

from kubepostmortem.charts import theme

MOST_STEPS = 150  # more would be narrower than a bar can be
FACT = 170  # pixels that a fact takes at most
EXTENT = 46  # pixels left of every panel, so that their time axes stand in line


def heading(name: str, fact: str) -> theme.Layer:
    """Write the name of a panel above its left end and a fact above its right end."""
    base = alt.Chart(alt.InlineData(values=[{"name": name, "fact": fact}]))
    room = alt.ExprRef(f"width - {FACT if fact else 0}")
    left = base.mark_text(align="left", fontWeight=600, color=theme.INK, limit=room)
    right = base.mark_text(align="right", color=theme.MUTED, fontSize=11)
    above = alt.value(-9)
    return alt.layer(
        left.encode(x=alt.value(0), y=above, text="name:N"),
        right.encode(x=alt.value("width"), y=above, text="fact:N"),
    )


def time(field: str, moments: pl.Series, is_last: bool) -> alt.X:
    """Encode time on the scale that all panels share; only the last one has the axis."""
    axis = theme.time_axis(field, moments)["axis"] if is_last else None
    scale = alt.Scale(type="utc", domain=_domain(moments), nice=False)
    return alt.X(f"{field}:T", scale=scale, axis=axis)


def span(field: str, moments: pl.Series, is_last: bool) -> alt.X:
    """Encode the begin of what ends at x2; panels must share their x scale.

    Vega-Lite reads a domain in two ways where a mark has x2, so it is left to the data.
    """
    axis = theme.time_axis(field, moments)["axis"] if is_last else None
    return alt.X(f"{field}:T", scale=alt.Scale(type="utc", nice=False), axis=axis)


def step(moments: pl.Series) -> timedelta:
    """How far apart neighbouring moments mostly are; wider where that would be too many steps."""
    gaps = moments.unique().sort().diff().drop_nulls()
    if gaps.is_empty():
        return timedelta(seconds=1)
    usual, span = gaps.median(), gaps.sum()
    assert isinstance(usual, timedelta) and isinstance(span, timedelta)
    seconds = max(usual.total_seconds(), span.total_seconds() / MOST_STEPS)
    return timedelta(seconds=max(1, round(seconds)))


def _domain(moments: pl.Series) -> Sequence[str]:
    ends = pl.Series([moments.min(), moments.max()], dtype=pl.Datetime("us"))
    return ends.dt.to_string("%Y-%m-%dT%H:%M:%S%.3fZ").to_list()
