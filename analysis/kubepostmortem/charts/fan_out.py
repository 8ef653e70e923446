"""Load against the size of the cluster: points, the fitted law with its interval, the limit."""

from __future__ import annotations

import math

import altair as alt
import polars as pl

from kubepostmortem.charts import panels, theme

MEASURED, HELD_BACK, LAW, LIMIT = "measured", "held back", "law", "limit"
COLOURS = {
    MEASURED: theme.CALM,
    HELD_BACK: theme.STRONG,
    LAW: theme.MUTED,
    LIMIT: theme.INK,
}
HEIGHT = 150
STEPS = (1, 2, 5)  # of a decade, where ticks are
MOST_TICKS = 6
NUMBERS = ",.6~g"


@theme.chart("measure", "part", "nodes", "load", "low", "high")
def fan_out(rows: pl.DataFrame) -> theme.Chart:
    """Draw a panel per measure, both axes logarithmic, over one axis of nodes.

    part of a row: measured or held back (a cluster), law (low and high are its interval), or limit
    (low: what there is at least, high: at most). Loads that are not positive are left out.
    """
    shown = rows.filter((pl.col(one) > 0) & pl.col(one).is_finite() for one in ("load", "nodes"))
    names = shown["measure"].unique(maintain_order=True).to_list()
    drawn = [_panel(shown, name, name == names[-1]) for name in names]
    return alt.vconcat(*(drawn or [theme.no_rows()]), spacing=26)


def _panel(rows: pl.DataFrame, name: str, is_last: bool) -> theme.Layer:
    own = rows.filter(pl.col("measure") == name)
    x = _logarithmic(
        "nodes", rows["nodes"].cast(pl.Float64), "Nodes of the cluster" if is_last else None
    )
    base = alt.Chart(theme.data(own.sort("nodes", maintain_order=True)))
    loads = _loads(own)
    layers = [
        *_law(base, x, loads),
        *_limit(base, own, loads),
        *_clusters(base, x, loads),
        panels.heading(name, _fact(own)),
    ]
    return alt.layer(*layers).properties(width=theme.WIDTH, height=HEIGHT)


def _fact(own: pl.DataFrame) -> str:
    """Write the limit, in words."""
    limit = own.filter(pl.col("part") == LIMIT).head(1)
    for least, most in limit.select("load", "high").iter_rows():
        until = f" to {most:,.3g}" if most is not None and most > least else ""
        return f"limit {least:,.3g}{until}"
    return ""


def _law(base: theme.Layer, x: alt.X, loads: pl.Series) -> list[theme.Layer]:
    law = base.transform_filter(f"datum.part == '{LAW}'")
    band = law.mark_area(opacity=0.18, color=theme.MUTED, clip=True)
    line = law.mark_line(strokeWidth=1.6, clip=True)
    return [
        band.encode(x=x, y=_logarithmic_y("low", loads), y2="high:Q"),
        line.encode(x=x, y=_logarithmic_y("load", loads), color=_colour()),
    ]


def _limit(base: theme.Layer, own: pl.DataFrame, loads: pl.Series) -> list[theme.Layer]:
    """Draw what there is at least as a line, and up to the most as a shade above it."""
    if own.filter(pl.col("part") == LIMIT).is_empty():
        return []
    limit = base.transform_filter(f"datum.part == '{LIMIT}'")
    shade = limit.mark_rect(color=theme.INK, opacity=0.08, clip=True)
    line = limit.mark_rule(strokeDash=[5, 4], strokeWidth=1.4)
    tooltip = [alt.Tooltip("load:Q", title="limit", format=",.3~r")]
    return [
        shade.encode(y=_logarithmic_y("low", loads), y2="high:Q"),
        line.encode(y=_logarithmic_y("load", loads), color=_colour(), tooltip=tooltip),
    ]


def _clusters(base: theme.Layer, x: alt.X, loads: pl.Series) -> list[theme.Layer]:
    tooltip = [
        alt.Tooltip("cluster:N"),
        alt.Tooltip("nodes:Q", format=",.0f"),
        alt.Tooltip("load:Q", format=",.3~r"),
        alt.Tooltip("part:N"),
    ]
    y = _logarithmic_y("load", loads)
    return [
        base.transform_filter(f"datum.part == '{part}'")
        .mark_point(size=80, opacity=1, filled=part == MEASURED, strokeWidth=2)
        .encode(x=x, y=y, color=_colour(), tooltip=tooltip)
        for part in (MEASURED, HELD_BACK)
    ]


def _colour() -> alt.Color:
    return alt.Color("part:N", scale=theme.fixed(COLOURS), legend=alt.Legend(columns=4))


def _loads(own: pl.DataFrame) -> pl.Series:
    """Loads that must be seen: clusters, the limit, and the law without its interval."""
    limits = own.filter(pl.col("part") == LIMIT)["high"].drop_nulls().drop_nans()
    return pl.concat([own["load"], limits.cast(own["load"].dtype)])


def _logarithmic(field: str, values: pl.Series, title: str | None) -> alt.X:
    axis = alt.Axis(
        title=title, values=_ticks(values), format=NUMBERS, grid=False, labelOverlap=True
    )
    shown = axis if title else None
    return alt.X(f"{field}:Q", axis=shown, scale=_scale(values))


def _logarithmic_y(field: str, values: pl.Series) -> alt.Y:
    axis = alt.Axis(
        title=None,
        values=_ticks(values),
        format=NUMBERS,
        labelOverlap=True,
        minExtent=panels.EXTENT,
        maxExtent=panels.EXTENT,
    )
    return alt.Y(f"{field}:Q", axis=axis, scale=_scale(values))


def _scale(values: pl.Series) -> alt.Scale:
    return alt.Scale(type="log", domain=list(_ends(values)), nice=False)


def _ends(values: pl.Series) -> tuple[float, float]:
    """Return the ends of an axis, with a little room at each."""
    low, high = float(values.min()), float(values.max())  # type: ignore[arg-type]
    return low / 1.25, high * 1.25


def _ticks(values: pl.Series) -> list[float]:
    """Return round numbers of one digit within an axis: powers of ten alone where it is long."""
    low, high = _ends(values)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = STEPS if len(powers) * len(STEPS) <= 3 * MOST_TICKS else STEPS[:1]
    ticks = [float(f"{step}e{power}") for power in powers for step in steps]
    return [tick for tick in ticks if low <= tick <= high]
