"""How charts look: colours, fonts, time in UTC, numbers; and what every chart function shares.

Colours are CSS variables with a fallback, so that one drawing follows the page's light, dark and
print colours. The palette is Okabe and Ito's, which colour-blind readers can tell apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

import altair as alt
import polars as pl

INK = "var(--ink, #1b1f24)"
MUTED = "var(--muted, #57606a)"
HAIR = "var(--hair, #d8dee4)"
PAPER = "var(--paper, #ffffff)"
STRONG = "var(--c1, #d55e00)"
CALM = "var(--c2, #0072b2)"
SOFT = "var(--soft, #e6b58f)"
YELLOW = "var(--c7, #f0e442)"
OTHERS = "var(--other, #b6bec7)"
SERIES = (
    STRONG,
    CALM,
    "var(--c3, #009e73)",
    "var(--c4, #e69f00)",
    "var(--c5, #56b4e9)",
    "var(--c6, #cc79a7)",
)

FONT = '"Inter", "Segoe UI", "Helvetica Neue", Arial, "Noto Sans SC", sans-serif'
WIDTH = 680  # pixels, where nobody says how wide the page is

Chart = alt.TopLevelMixin
Draw = Callable[[pl.DataFrame], Chart]
Layer = Any  # a part of a chart: Altair itself types what `encode` returns as Any
AXIS = {
    "labelColor": MUTED,
    "titleColor": MUTED,
    "gridColor": HAIR,
    "domainColor": HAIR,
    "tickColor": HAIR,
    "labelFontSize": 11,
    "titleFontSize": 11,
    "titleFontWeight": "normal",
    "titlePadding": 8,
    "labelPadding": 6,
}
CONFIG: dict[str, Any] = {
    "background": "transparent",
    "font": FONT,
    "view": {"stroke": None},
    "axis": AXIS,
    "axisY": {"labelLimit": 210},
    "legend": {
        "columns": 4,
        "labelColor": INK,
        "labelFontSize": 12,
        "title": None,
        "orient": "top",
        "symbolType": "square",
        "symbolSize": 90,
        "columnPadding": 14,
        "labelLimit": 180,
    },
    "text": {"color": INK, "fontSize": 12},
    "locale": {
        "number": {"decimal": ".", "thousands": "\u202f", "grouping": [3], "currency": ["", ""]}
    },
}


def chart(*columns: str) -> Callable[[Draw], Draw]:
    """Make a chart of a function: check its columns, and say so where there are no rows."""

    def decorate(draw: Draw) -> Draw:
        @wraps(draw)
        def drawn(rows: pl.DataFrame) -> Chart:
            if rows.is_empty():
                return styled(no_rows())
            if lacking := [name for name in columns if name not in rows.columns]:
                raise ValueError(f"{draw.__name__} needs columns {', '.join(lacking)}")
            return styled(draw(rows))

        return drawn

    return decorate


def styled(drawing: Chart) -> Chart:
    """Give a finished chart the common look."""
    configured: Chart = drawing.configure(**CONFIG)
    return configured


def data(rows: pl.DataFrame) -> alt.InlineData:
    """Inline rows as Vega reads them: times as ISO 8601 in UTC, numbers to six digits."""
    plain = rows.with_columns(
        pl.selectors.datetime().dt.to_string("%Y-%m-%dT%H:%M:%S%.3fZ"),
        pl.selectors.decimal().cast(pl.Float64),
    ).with_columns(_finite(pl.selectors.float()).round_sig_figs(6))
    return alt.InlineData(values=plain.to_dicts())


def time_axis(field: str, moments: pl.Series, title: str = "") -> alt.X:
    """Encode a time in UTC; ticks as fine as the span needs, the date in the title."""
    axis = alt.Axis(
        title=", ".join(filter(None, [title, _dates(moments)])),
        format=_tick_format(_last(moments) - _first(moments)),
        grid=False,
        tickCount=6,
        labelOverlap=True,
    )
    return alt.X(f"{field}:T", scale=alt.Scale(type="utc"), axis=axis)


def names_in_lines(**labels: Any) -> alt.Axis:
    """Return an axis of names, which may have several lines; labels: properties of its labels."""
    return alt.Axis(
        title=None,
        domain=False,
        ticks=False,
        labelExpr="split(datum.label, '\\n')",
        labelColor=INK,
        **labels,
    )


def clock(field: str) -> str:
    """Vega expression: the time of a field as people write it, with its zone."""
    return f"utcFormat(datum['{field}'], '%Y-%m-%d %H:%M:%S') + ' UTC'"


def ranked(names: Sequence[str], others: str | None = None) -> dict[str, str]:
    """Colours for names in the order of their weight; `others` is grey."""
    colours = {name: SERIES[rank % len(SERIES)] for rank, name in enumerate(names)}
    if others is not None:
        colours[others] = OTHERS
    return colours


def fixed(colours: Mapping[str, str]) -> alt.Scale:
    """Return a scale of exactly these colours by name."""
    return alt.Scale(domain=list(colours), range=list(colours.values()))


def no_rows() -> Layer:
    """Return a chart that says that there is nothing to show."""
    nothing = alt.Chart(alt.InlineData(values=[{"says": "no rows: nothing to draw"}]))
    text = nothing.mark_text(color=MUTED).encode(text=alt.Text("says:N"))
    return text.properties(width=WIDTH, height=60)


def _finite(numbers: pl.Expr) -> pl.Expr:
    """JSON knows neither NaN nor infinity."""
    return pl.when(numbers.is_finite()).then(numbers)


def _dates(moments: pl.Series) -> str:
    first, last = _first(moments).date(), _last(moments).date()
    return f"{first} UTC" if first == last else f"{first} to {last} UTC"


def _tick_format(span: timedelta) -> str:
    if span > timedelta(days=3):
        return "%Y-%m-%d"
    if span > timedelta(days=1):
        return "%m-%d %H:%M"
    return "%H:%M" if span >= timedelta(minutes=12) else "%H:%M:%S"


def _first(moments: pl.Series) -> datetime:
    first = moments.min()
    assert isinstance(first, datetime)
    return first


def _last(moments: pl.Series) -> datetime:
    last = moments.max()
    assert isinstance(last, datetime)
    return last
