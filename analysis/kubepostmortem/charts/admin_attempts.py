"""What became of the attempts of people who tried to help."""

from __future__ import annotations

import altair as alt
import polars as pl

from kubepostmortem.charts import panels, theme

ANSWERED = "answered"
COLOURS = {
    ANSWERED: theme.CALM,
    "slow": theme.SERIES[4],
    "failed": theme.SERIES[3],
    "refused (429)": theme.STRONG,
}


@theme.chart("minute", "group", "outcome", "requests")
def admin_attempts(rows: pl.DataFrame) -> theme.Chart:
    """Stack the requests of each group by outcome over time, a panel per group.

    minute is when a step of time begins, a minute or finer; outcome is answered, slow, failed or
    refused (429).
    """
    counted = _counted(rows)
    groups = rows["group"].unique(maintain_order=True).to_list()
    drawn = [_panel(counted, group, group == groups[-1]) for group in groups]
    panels_of_groups: theme.Chart = alt.vconcat(*drawn, spacing=34).resolve_scale(x="shared")
    return panels_of_groups


def _counted(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per group, step and outcome, and where the step ends."""
    width = panels.step(rows["minute"])
    begins = pl.col("minute").dt.truncate(f"{int(width.total_seconds())}s").alias("at")
    ranks = {outcome: rank for rank, outcome in enumerate(_order(rows))}
    return (
        rows.with_columns(begins, pl.col("requests").cast(pl.Float64))
        .group_by("group", "at", "outcome")
        .agg(pl.col("requests").sum())
        .with_columns(
            rank=pl.col("outcome").replace_strict(ranks, return_dtype=pl.Int64),
            ends_at=pl.col("at") + width,
        )
        .sort("group", "at", "rank")
        .with_columns(top=pl.col("requests").cum_sum().over("group", "at"))
        .with_columns(bottom=pl.col("top") - pl.col("requests"))
    )


def _order(rows: pl.DataFrame) -> list[str]:
    known = [outcome for outcome in COLOURS if outcome in rows["outcome"]]
    return known + sorted(set(rows["outcome"]) - set(known))


def _panel(counted: pl.DataFrame, group: str, is_last: bool) -> theme.Layer:
    rows = counted.filter(pl.col("group") == group)
    axis = alt.Axis(
        title=None,
        tickCount=3,
        tickMinStep=1,
        format="~s",
        minExtent=panels.EXTENT,
        maxExtent=panels.EXTENT,
    )
    moments = pl.concat([counted["at"], counted["ends_at"]])
    colours = {name: COLOURS.get(name, theme.OTHERS) for name in _order(counted)}
    bars = (
        alt.Chart(theme.data(rows))
        .transform_calculate(time=theme.clock("at"))
        .mark_rect(stroke=theme.PAPER, strokeWidth=0.8)
        .encode(
            x=panels.span("at", moments, is_last),
            x2="ends_at:T",
            y=alt.Y("bottom:Q", axis=axis),
            y2="top:Q",
            color=alt.Color("outcome:N", scale=theme.fixed(colours), legend=alt.Legend(columns=2)),
            tooltip=["time:N", "outcome:N", alt.Tooltip("requests:Q", format=",.0f")],
        )
    )
    drawn = alt.layer(bars, panels.heading(group, _fact(rows)))
    return drawn.properties(width=theme.WIDTH, height=80)


def _fact(rows: pl.DataFrame) -> str:
    """How many attempts were answered, in words."""
    answered = rows.filter(pl.col("outcome") == ANSWERED)["requests"].sum()
    return f"{answered:,.0f} of {rows['requests'].sum():,.0f} answered in time"
