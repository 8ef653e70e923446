"""How requests were answered over time."""

from __future__ import annotations

import polars as pl

from kubepostmortem.charts import theme
from kubepostmortem.charts.over_time import per_second, stacked

COLOURS = {
    "429 Too Many Requests": theme.STRONG,
    "5xx server error": theme.SERIES[3],
    "answered": theme.OTHERS,
}


@theme.chart("interval_at", "interval_s", "requests", "throttled", "failed")
def throttling(rows: pl.DataFrame) -> theme.Chart:
    """Stack what was shed, what failed and what was answered, per second."""
    counts = pl.col("requests", "throttled", "failed").cast(pl.Float64)
    answers = rows.with_columns(counts).select(
        "interval_at",
        "interval_s",
        pl.col("throttled").alias("429 Too Many Requests"),
        pl.col("failed").alias("5xx server error"),
        (pl.col("requests") - pl.col("throttled") - pl.col("failed")).alias("answered"),
    )
    long = answers.unpivot(index=["interval_at", "interval_s"], variable_name="answer")
    rates, width = per_second(long, "value", "answer")
    return stacked(rates, width, COLOURS, "Requests per second")
