"""Load before and during the overload, by component and verb."""

from __future__ import annotations

import math

import altair as alt
import polars as pl

from kubepostmortem.charts import theme

MOST = 10
BEFORE, DURING = "baseline", "overload"
COLOURS = {BEFORE: theme.CALM, DURING: theme.STRONG}


@theme.chart(
    "component", "verb", "baseline_rps", "overload_rps", "baseline_demand", "overload_demand"
)
def before_after(rows: pl.DataFrame) -> theme.Chart:
    """Draw a dumbbell per component and verb on a logarithmic axis, for both measures."""
    shown = _most_changed(rows)
    panels = [
        _panel(shown, "demand", "Demand, API server seconds per second (logarithmic)"),
        _panel(shown, "rps", "Requests per second (logarithmic)"),
    ]
    return alt.vconcat(*panels, spacing=26)


def _most_changed(rows: pl.DataFrame) -> pl.DataFrame:
    """Keep what changed most in either measure, largest change of demand first."""
    demand = (pl.col("overload_demand") - pl.col("baseline_demand")).abs()
    requests = (pl.col("overload_rps") - pl.col("baseline_rps")).abs()
    changed = rows.with_columns(
        pl.format("{} {}", "component", "verb").alias("who"), demand=demand, requests=requests
    )
    names = pl.concat([changed.top_k(MOST // 2, by=measure) for measure in ("demand", "requests")])[
        "who"
    ]
    kept = changed.filter(pl.col("who").is_in(names.unique().to_list()))
    return kept.sort("demand", "requests", "who", descending=[True, True, False])


def _panel(rows: pl.DataFrame, measure: str, title: str) -> theme.Layer:
    loads = pl.concat([rows[f"{window}_{measure}"].cast(pl.Float64) for window in COLOURS])
    decades = _decades(loads)
    base = alt.Chart(theme.data(_ends(rows, measure, decades[0]))).encode(
        y=alt.Y("who:N", sort=None, axis=_names())
    )
    lines = base.mark_rule(strokeWidth=2, color=theme.OTHERS).encode(
        x=_logarithmic(title, decades, float(loads.max() or 1)),  # type: ignore[arg-type]
        x2="high:Q",
    )
    return alt.layer(lines, *_dots(base), _change(base)).properties(
        width=theme.WIDTH, height=24 * rows.height
    )


def _decades(loads: pl.Series) -> list[float]:
    """Powers of ten that span the loads; the first, a decade below the smallest, stands for zero.

    Loads below a millionth of the largest count as zero.
    """
    positive = loads.filter(loads > 0).to_list()
    if not positive:
        return [0.1, 1.0]
    smallest = max(min(positive), max(positive) / 1e6)
    first, last = math.floor(math.log10(smallest)), math.ceil(math.log10(max(positive)))
    return [float(10.0**power) for power in range(first - 1, last + 1)]


def _logarithmic(title: str, decades: list[float], most: float) -> alt.X:
    axis = alt.Axis(
        title=title,
        values=decades,
        labelExpr=f"datum.value <= {decades[0]} ? '0' : format(datum.value, ',.6~g')",
    )
    room = (max(most, decades[-1]) / decades[0]) ** 0.22  # for the numbers right of the dots
    domain = [decades[0], max(most, decades[0]) * room]
    return alt.X("low:Q", axis=axis, scale=alt.Scale(type="log", domain=domain, nice=False))


def _ends(rows: pl.DataFrame, measure: str, floor: float) -> pl.DataFrame:
    before, during = pl.col(f"{BEFORE}_{measure}"), pl.col(f"{DURING}_{measure}")
    return rows.select(
        "who",
        before.cast(pl.Float64).alias(BEFORE),
        during.cast(pl.Float64).alias(DURING),
    ).with_columns(
        low=pl.max_horizontal(pl.lit(floor), BEFORE),
        high=pl.max_horizontal(pl.lit(floor), DURING),
        most=pl.max_horizontal(pl.lit(floor), BEFORE, DURING),
    )


def _names() -> alt.Axis:
    return alt.Axis(
        title=None,
        domain=False,
        ticks=False,
        labelColor=theme.INK,
        labelFontSize=12,
        labelPadding=12,
    )


def _dots(base: theme.Layer) -> list[theme.Layer]:
    tooltip = [
        alt.Tooltip("who:N", title="who"),
        alt.Tooltip(f"{BEFORE}:Q", format=",.3~r"),
        alt.Tooltip(f"{DURING}:Q", format=",.3~r"),
    ]
    return [
        base.mark_point(size=85, opacity=1, filled=True)
        .transform_calculate(window=f"'{window}'")
        .encode(
            x=f"{place}:Q",
            color=alt.Color("window:N", scale=theme.fixed(COLOURS)),
            tooltip=tooltip,
        )
        for place, window in (("low", BEFORE), ("high", DURING))
    ]


def _change(base: theme.Layer) -> theme.Layer:
    """Write both numbers at the right end."""
    number = "format(datum['{0}'], datum['{0}'] >= 100 ? ',.0f' : '.2~r')"
    text = f"{number.format(BEFORE)} + ' → ' + {number.format(DURING)}"
    return (
        base.transform_calculate(change=text)
        .mark_text(align="left", dx=9, color=theme.MUTED, fontSize=11)
        .encode(x="most:Q", text="change:N")
    )
