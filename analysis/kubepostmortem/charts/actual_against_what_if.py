"""Who would have been answered under which policy of flow control."""

from __future__ import annotations

import altair as alt
import polars as pl

from kubepostmortem.charts import theme

SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross")
COLOURS = (theme.INK, *theme.SERIES[:5])
MOST = len(SHAPES)
ROW = 17  # pixels for one policy
TICKS = [0, 0.25, 0.5, 0.75, 1]
TITLE = "Answered in time, with the range of the models"


@theme.chart("policy", "group", "low", "high", "likely", "requests")
def actual_against_what_if(rows: pl.DataFrame) -> theme.Chart:
    """Draw the range and the likely share answered in time, per group of callers and policy.

    low, high and likely are shares from 0 to 1; requests is the number of the group. Groups and
    policies keep the order of the rows; the first policy, drawn in ink, is what was in force.
    """
    policies = rows["policy"].unique(maintain_order=True).to_list()[:MOST]
    shown = _labelled(rows.filter(pl.col("policy").is_in(policies)))
    groups = shown["who"].unique(maintain_order=True).to_list()
    base = alt.Chart(theme.data(shown)).encode(
        y=_groups(groups),
        yOffset=alt.YOffset("policy:N", scale=alt.Scale(domain=policies), sort=None),
        color=alt.Color("policy:N", scale=_colours(policies), legend=_legend(policies)),
        tooltip=_tooltip(),
    )
    height = len(groups) * (ROW * len(policies) + 14)
    layers = [*_ranges(base), _points(base, policies), _numbers(base)]
    return alt.layer(*layers).properties(width=theme.WIDTH, height=height)


def _labelled(rows: pl.DataFrame) -> pl.DataFrame:
    """Name each group with the number of its requests, which may differ by policy."""
    shares = pl.col("low", "high", "likely").cast(pl.Float64)
    number = pl.col("requests").cast(pl.Float64).max().over("group")
    counted = rows.with_columns(shares, number.alias("requests"))
    labels = [
        f"{group}\n{_spaced(number)}"
        for group, number in counted.select("group", "requests").rows()
    ]
    return counted.with_columns(who=pl.Series(labels, dtype=pl.String))


def _spaced(number: float | None) -> str:
    if number is None:
        return ""
    return f"{number:,.0f} request{'' if number == 1 else 's'}".replace(",", "\u202f")


def _groups(groups: list[str]) -> alt.Y:
    axis = theme.names_in_lines(
        labelFontSize=12,
        labelLineHeight=15,
        labelPadding=10,
        labelOffset=-7,  # the middle of two lines
    )
    scale = alt.Scale(domain=groups, paddingInner=0.22, paddingOuter=0.1)
    return alt.Y("who:N", scale=scale, axis=axis)


def _colours(policies: list[str]) -> alt.Scale:
    return theme.fixed(dict(zip(policies, COLOURS, strict=False)))


def _legend(policies: list[str]) -> alt.Legend:
    """Long names stand one below the other, so that none is cut off."""
    short = max(map(len, policies)) <= 22
    return alt.Legend(labelLimit=320, columns=2 if short else 1, symbolOpacity=1)


def _share(field: str) -> alt.X:
    axis = alt.Axis(title=TITLE, format=".0%", values=TICKS, domain=False, ticks=False)
    scale = alt.Scale(domain=[0, 1.16], nice=False)  # with room for the numbers
    return alt.X(f"{field}:Q", axis=axis, scale=scale)


def _ranges(base: theme.Layer) -> list[theme.Layer]:
    known = base.transform_filter("isValid(datum.low) && datum.low < datum.high")
    bar = known.mark_bar(height=5, opacity=0.35).encode(x=_share("low"), x2="high:Q")
    ends = [
        known.mark_tick(height=10, thickness=1.6).encode(x=_share(end)) for end in ("low", "high")
    ]
    return [bar, *ends]


def _points(base: theme.Layer, policies: list[str]) -> theme.Layer:
    shapes = alt.Scale(domain=policies, range=list(SHAPES[: len(policies)]))
    return base.mark_point(filled=True, size=62, opacity=1).encode(
        x=_share("likely"), shape=alt.Shape("policy:N", scale=shapes, legend=_legend(policies))
    )


def _numbers(base: theme.Layer) -> theme.Layer:
    """Write the likely share right of the range."""
    ends = "max(datum.likely, isValid(datum.high) ? datum.high : 0)"
    return (
        base.transform_filter("isValid(datum.likely)")
        .transform_calculate(ends=ends, share="format(datum.likely, '.0%')")
        .mark_text(align="left", dx=7, fontSize=11)
        .encode(x=_share("ends"), text="share:N")
    )


def _tooltip() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("policy:N"),
        alt.Tooltip("group:N"),
        alt.Tooltip("likely:Q", format=".2~%"),
        alt.Tooltip("low:Q", title="at least", format=".2~%"),
        alt.Tooltip("high:Q", title="at most", format=".2~%"),
        alt.Tooltip("requests:Q", format=",.0f"),
    ]
