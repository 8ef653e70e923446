"""How each component was answered over time: a strip for refusals, and one for latency."""

from __future__ import annotations

from datetime import timedelta

import altair as alt
import polars as pl

from kubepostmortem.charts import panels, theme

MOST = 14  # components
NAME, STRIP, GAP = 15, 8, 7  # pixels: room for a name, height of a strip, room below
ROW = NAME + 2 * STRIP + GAP
CALLS, LACKING, LATENCY = "answered", "not answered", "latency, 10 ms to 10 s"
COLOURS = {CALLS: theme.OTHERS, LACKING: theme.STRONG, LATENCY: theme.CALM}


@theme.chart("component", "interval_at", "interval_s", "requests", "answered_share", "p50_ms")
def component_availability(rows: pl.DataFrame) -> theme.Chart:
    """Draw two strips per component, in the order in which they first occur in the rows.

    The upper one is grey where requests were answered, and the redder the more were not; the lower
    one is the darker the longer an answer took (median, on a logarithmic scale).
    """
    names = rows["component"].unique(maintain_order=True).to_list()[:MOST]
    steps = _steps(rows, names)
    moments = pl.concat([steps["at"], steps["ends_at"]])
    base = (
        alt.Chart(theme.data(_cells(steps)))
        .transform_calculate(time=theme.clock("at"))
        .encode(
            x=panels.span("at", moments, is_last=True),
            x2="ends_at:T",
            y=alt.Y("top:Q", axis=None, scale=alt.Scale(domain=[len(names) * ROW, 0], nice=False)),
            y2="bottom:Q",
            fillOpacity=alt.FillOpacity("dark:Q", scale=None),
            color=alt.Color(
                "part:N", scale=theme.fixed(COLOURS), legend=alt.Legend(columns=2, labelLimit=240)
            ),
            tooltip=[
                "component:N",
                "time:N",
                alt.Tooltip("requests:Q", format=",.0f"),
                alt.Tooltip("answered_share:Q", title="answered", format=".0%"),
                alt.Tooltip("p50_ms:Q", title="median, ms", format=",.3~r"),
            ],
        )
    )
    drawn = alt.layer(base.mark_rect(), _names(steps, names))
    return drawn.properties(width=theme.WIDTH, height=len(names) * ROW)


def _steps(rows: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """One row per component and step; several clusters are added up."""
    width = max(panels.step(rows["interval_at"]), _widest(rows))
    numbers = pl.col("requests", "answered_share", "p50_ms").cast(pl.Float64)
    return (
        rows.filter(pl.col("component").is_in(names))
        .with_columns(
            numbers, at=pl.col("interval_at").dt.truncate(f"{int(width.total_seconds())}s")
        )
        .group_by("component", "at", maintain_order=True)
        .agg(
            pl.col("requests").sum(),
            answered_share=(pl.col("answered_share") * pl.col("requests")).sum()
            / pl.col("requests").sum(),
            p50_ms=pl.col("p50_ms").fill_nan(None).max(),
        )
        .with_columns(
            ends_at=pl.col("at") + width,
            rank=pl.col("component").replace_strict(
                {name: place for place, name in enumerate(names)}, return_dtype=pl.Int64
            ),
        )
    )


def _cells(steps: pl.DataFrame) -> pl.DataFrame:
    """Rectangles: grey for what was called, red above it, and latency below."""
    top = pl.col("rank") * ROW + NAME
    lacking = 1 - pl.col("answered_share")
    slow = ((pl.col("p50_ms").log10() - 1) / 3).clip(0.08, 1.0)
    upper = steps.with_columns(top=top, bottom=top + STRIP)
    lower = steps.with_columns(top=top + STRIP + 1, bottom=top + 2 * STRIP + 1)
    return pl.concat(
        [
            upper.with_columns(part=pl.lit(CALLS), dark=pl.lit(0.55)),
            upper.filter(lacking > 0).with_columns(
                part=pl.lit(LACKING), dark=0.2 + 0.8 * lacking.sqrt()
            ),
            lower.filter(pl.col("p50_ms") > 0).with_columns(part=pl.lit(LATENCY), dark=slow),
        ],
        how="diagonal_relaxed",
    )


def _names(steps: pl.DataFrame, names: list[str]) -> theme.Layer:
    """Write each name above its strips, and how much was answered at the right end."""
    totals = steps.group_by("component").agg(
        least=pl.col("answered_share").min(), rank=pl.col("rank").first()
    )
    lines = [
        {"name": row["component"], "y": row["rank"] * ROW + NAME - 7, "fact": _fact(row["least"])}
        for row in totals.sort("rank").iter_rows(named=True)
        if row["component"] in names
    ]
    base = alt.Chart(alt.InlineData(values=lines)).encode(y=alt.Y("y:Q", axis=None))
    left = base.mark_text(
        align="left", fontWeight=600, fontSize=11, limit=alt.ExprRef(f"width - {panels.FACT // 2}")
    )
    right = base.mark_text(align="right", color=theme.MUTED, fontSize=11)
    return alt.layer(
        left.encode(x=alt.value(0), text="name:N"),
        right.encode(x=alt.value("width"), text="fact:N"),
    )


def _fact(least: float) -> str:
    return "" if least >= 0.995 else f"down to {least:.0%}"


def _widest(rows: pl.DataFrame) -> timedelta:
    """Clusters may count in intervals of different widths: all are brought to the widest."""
    widest = rows["interval_s"].max()
    assert isinstance(widest, int | float)
    return timedelta(seconds=widest)
