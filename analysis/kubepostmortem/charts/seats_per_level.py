"""Seats of each priority level over time, and who waited or was refused there."""

from __future__ import annotations

import altair as alt
import polars as pl

from kubepostmortem.charts import panels, theme

MOST = 9
IN_USE, LIMIT, WAITING, REFUSED = "seats in use", "limit of seats", "waiting", "refused"
COLOURS = {
    IN_USE: theme.CALM,
    LIMIT: theme.INK,
    WAITING: theme.SERIES[3],
    REFUSED: theme.STRONG,
}
STRIPS = {WAITING: "waiting", REFUSED: "refused_per_s"}
NUMBERS = ("seats_in_use", "limit_seats", "requests_waiting", "refused_per_s")
SEATS, STRIP, GAP = 52, 9, 4  # pixels: height of the seats, of a strip, and between them
NO_LIMIT = "exempt"  # the level that is never limited


@theme.chart("priority_level", "sampled_at", *NUMBERS)
def seats_per_level(rows: pl.DataFrame) -> theme.Chart:
    """Draw a panel per used priority level, those that refused first.

    Seats in use are an area below the limit; strips under it show when requests waited and were
    refused, the darker the more. Rows are those of the view seats_over_time: seats and requests
    of one API server and level at a time; several servers are added up.
    """
    steps = _steps(rows)
    levels = _levels(steps)
    drawn = [_panel(steps, level, level == levels[-1]) for level in levels]
    return alt.vconcat(*(drawn or [theme.no_rows()]), spacing=26)


def _steps(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per level and step: peaks within it of each server, and their sum over servers."""
    servers = [name for name in ("cluster", "instance") if name in rows.columns]
    width = panels.step(rows["sampled_at"])
    peaks = (
        rows.with_columns(
            pl.col("sampled_at").dt.truncate(f"{int(width.total_seconds())}s").alias("at"),
            pl.col(*NUMBERS).cast(pl.Float64),
        )
        .group_by(*servers, "priority_level", "at")
        .agg(pl.col(*NUMBERS).max())
    )
    sums = peaks.group_by("priority_level", "at").agg(_sum(name) for name in NUMBERS)
    return (
        sums.rename({"requests_waiting": "waiting"})
        .sort("priority_level", "at")
        .with_columns(ends_at=pl.col("at") + width)
    )


def _sum(name: str) -> pl.Expr:
    """Sum of what is known; null where nothing is."""
    return pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()).alias(name)


def _levels(steps: pl.DataFrame) -> list[str]:
    """Levels that were used: those that refused most first, then by who waited and by seats."""
    peaks = steps.group_by("priority_level").agg(
        pl.col("refused_per_s").sum(), pl.col("waiting", "seats_in_use").max().fill_null(0.0)
    )
    used = peaks.filter(pl.sum_horizontal("refused_per_s", "waiting", "seats_in_use") > 0)
    order = ["refused_per_s", "waiting", "seats_in_use", "priority_level"]
    return used.sort(order, descending=[True, True, True, False])["priority_level"].to_list()[:MOST]


def _panel(steps: pl.DataFrame, level: str, is_last: bool) -> theme.Layer:
    rows = steps.filter(pl.col("priority_level") == level)
    moments = pl.concat([steps["at"], steps["ends_at"]])
    strips = [name for name, column in STRIPS.items() if (rows[column].fill_null(0) > 0).any()]
    base = (
        alt.Chart(theme.data(_closed(rows).with_columns(map(_darkness, STRIPS.values()))))
        .transform_calculate(time=theme.clock("at"))
        .encode(x=panels.time("at", moments, is_last))
    )
    layers = [_area(base), *_strips(base, strips), panels.heading(level, _fact(rows, level))]
    if level != NO_LIMIT:
        layers.insert(1, _limit(base))
    height = SEATS + (STRIP + GAP) * len(strips)
    return alt.layer(*layers, _hover(base)).properties(width=theme.WIDTH, height=height)


def _closed(rows: pl.DataFrame) -> pl.DataFrame:
    """Add an end, so that the last step has a width."""
    end = rows.tail(1).with_columns(at="ends_at", waiting=None, refused_per_s=None)
    return pl.concat([rows, end], how="vertical_relaxed")


def _fact(rows: pl.DataFrame, level: str) -> str:
    """Most that waited and were refused, in words."""
    if level == NO_LIMIT:
        return "no limit"
    words = {"waiting": " waiting", "refused_per_s": " refused/s"}
    peaks = {name: rows[name].fill_null(0.0).max() for name in words}
    said = [_short(peak) + words[name] for name, peak in peaks.items() if peak]  # type: ignore[arg-type]
    return "up to " + ", ".join(said) if said else ""


def _short(number: float) -> str:
    return f"{number:,.0f}".replace(",", "\u202f") if number >= 10 else f"{number:.2g}"


def _in_colour(base: theme.Layer, part: str) -> theme.Layer:
    """Colour what follows as this part, so that all panels share one legend."""
    legend = alt.Legend(values=[IN_USE, LIMIT], columns=2)  # strips are named where they are
    colour = alt.Color("part:N", scale=theme.fixed(COLOURS), legend=legend)
    return base.transform_calculate(part=f"'{part}'").encode(color=colour)


def _seats(field: str) -> alt.Y:
    axis = alt.Axis(
        title=None, tickCount=3, format="~s", minExtent=panels.EXTENT, maxExtent=panels.EXTENT
    )
    return alt.Y(f"{field}:Q", axis=axis, scale=alt.Scale(range=[SEATS, 0], domainMin=0))


def _area(base: theme.Layer) -> theme.Layer:
    area = _in_colour(base, IN_USE).mark_area(interpolate="step-after", fillOpacity=0.45)
    return area.encode(y=_seats("seats_in_use"))


def _limit(base: theme.Layer) -> theme.Layer:
    line = _in_colour(base, LIMIT).mark_line(interpolate="step-after", strokeWidth=1.4)
    return line.encode(y=_seats("limit_seats"))


def _strips(base: theme.Layer, names: list[str]) -> list[theme.Layer]:
    """Draw a strip per name below the seats, and write the name on its left."""
    tops = [SEATS + GAP + place * (STRIP + GAP) for place in range(len(names))]
    return [
        layer
        for name, top in zip(names, tops, strict=True)
        for layer in (_strip(base, name, top), _label(name, top))
    ]


def _strip(base: theme.Layer, name: str, top: int) -> theme.Layer:
    return (
        _in_colour(base, name)
        .transform_filter(f"datum.{STRIPS[name]} > 0")
        .mark_rect()
        .encode(
            x2="ends_at:T",
            y=alt.value(top),
            y2=alt.value(top + STRIP),
            fillOpacity=alt.FillOpacity(f"{STRIPS[name]}_dark:Q", scale=None),
        )
    )


def _darkness(name: str) -> pl.Expr:
    """Darker where more is waiting or refused; the least that is not nothing can be seen."""
    share = pl.col(name) / pl.col(name).max()
    return (0.15 + 0.85 * share.sqrt()).fill_nan(None).alias(f"{name}_dark")


def _label(name: str, top: int) -> theme.Layer:
    base = alt.Chart(alt.InlineData(values=[{"name": name}]))
    text = base.mark_text(align="right", dx=-6, color=theme.MUTED, fontSize=10)
    return text.encode(x=alt.value(0), y=alt.value(top + STRIP / 2), text="name:N")


def _hover(base: theme.Layer) -> theme.Layer:
    """Wide invisible rules carry the tooltips: an area knows only its first row."""
    tooltip = [
        alt.Tooltip("time:N"),
        alt.Tooltip("seats_in_use:Q", title=IN_USE, format=",.3~r"),
        alt.Tooltip("limit_seats:Q", title=LIMIT, format=",.3~r"),
        alt.Tooltip("waiting:Q", title="requests waiting", format=",.3~r"),
        alt.Tooltip("refused_per_s:Q", title="refused per second", format=",.3~r"),
    ]
    rule = base.mark_rule(strokeWidth=6, opacity=0)
    return rule.encode(y=alt.value(0), y2=alt.value(SEATS), tooltip=tooltip)
