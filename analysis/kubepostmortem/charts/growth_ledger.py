"""What the growth is made of: the lines of the ledger, one on top of the other."""

from __future__ import annotations

from textwrap import wrap

import altair as alt
import polars as pl

from kubepostmortem.charts import theme

MOST = 10
LEAST = 0.005  # of the largest line: what is less would be a bar of no width
REST, TOTAL = "others", "total"
KINDS = {"primary": theme.STRONG, "induced": theme.SOFT, "throttling": theme.SERIES[3]}
COLOURS = {**KINDS, TOTAL: theme.MUTED}
LETTERS = 34  # that fit into a line of a label
TITLE = "Demand above the baseline (s per s), 95 % intervals"
SHARE = "datum.share === null ? '' : ' (' + format(datum.share, '.2~p') + ')'"
LABEL = f"format(datum.growth, '+.2~r') + ({SHARE})"


@theme.chart("kind", "what", "demand", "low", "high", "share", "why")
def growth_ledger(rows: pl.DataFrame) -> theme.Chart:
    """Draw each line's growth of demand from where the line before ended, and the total."""
    placed = _placed(_largest(rows))
    base = alt.Chart(theme.data(placed)).encode(y=alt.Y("who:N", sort=None, axis=_names()))
    layers = [_steps(base), _bars(base, placed), _intervals(base), _labels(base)]
    return alt.layer(*layers).properties(width=theme.WIDTH, height=38 * placed.height)


def _largest(rows: pl.DataFrame) -> pl.DataFrame:
    """Keep the lines that moved demand, in their order; small ones become one line."""
    lines = rows.select(
        "kind",
        "what",
        "why",
        pl.col("demand", "low", "high", "share").cast(pl.Float64).fill_nan(0.0),
    ).rename({"demand": "growth"})
    size = pl.max_horizontal(pl.col("growth", "low", "high").abs())
    moved = lines.filter(size > 0)
    large = (size.rank("ordinal", descending=True) <= MOST) & (size >= LEAST * size.max())
    small = moved.filter(~large)
    if small.height > 1:
        rest = _sum(small, REST, f"{small.height} smaller lines")
        return pl.concat([moved.filter(large), rest, _sum(moved, TOTAL, "total growth")])
    return pl.concat([moved, _sum(moved, TOTAL, "total growth")])


def _sum(lines: pl.DataFrame, kind: str, what: str) -> pl.DataFrame:
    """Return one line for several; intervals do not add up, so it has none."""
    share = pl.when(pl.col("share").count() > 0).then(pl.col("share").sum())
    return lines.select(
        pl.lit(kind).alias("kind"),
        pl.lit(what).alias("what"),
        pl.lit("").alias("why"),
        pl.col("growth").sum(),
        pl.lit(None, pl.Float64).alias("low"),
        pl.lit(None, pl.Float64).alias("high"),
        share,
    )


def _placed(lines: pl.DataFrame) -> pl.DataFrame:
    """Add the ends of each bar and of its interval, the place of its number, and its label."""
    ends = pl.when(pl.col("kind") == TOTAL).then("growth").otherwise(pl.col("growth").cum_sum())
    placed = lines.with_columns(ends=ends).with_columns(begins=pl.col("ends") - pl.col("growth"))
    named = [_who(*line) for line in placed.select("kind", "what", "why").rows()]
    labels = pl.Series([f"{place}\n{label}" for place, label in enumerate(named)])  # all differ
    least, most = (pl.col("begins") + pl.col(end) for end in ("low", "high"))
    return placed.with_columns(
        who=labels,
        after=labels.shift(-1),
        least=least,
        most=most,
        right=pl.max_horizontal("begins", "ends", most),
    )


def _who(kind: str, what: str, why: str) -> str:
    """Name a line in up to two lines of text; one that names no component says what it is."""
    if kind == "throttling":
        named = f"429: {what}"
    elif what == "many clients":
        named = f"{what}: {why.removeprefix('are ')}"
    else:
        named = what or f"{kind}: {why}"
    return "\n".join(wrap(named, LETTERS, max_lines=2, placeholder="…"))


def _names() -> alt.Axis:
    return alt.Axis(
        title=None,
        domain=False,
        ticks=False,
        labelExpr="slice(split(datum.label, '\\n'), 1)",
        labelColor=theme.INK,
        labelFontSize=12,
        labelLineHeight=14,
        labelPadding=10,
    )


def _steps(base: theme.Layer) -> theme.Layer:
    """Tie the end of each bar to the beginning of the next one."""
    tied = base.transform_filter("datum.after !== null")
    return tied.mark_rule(color=theme.OTHERS).encode(x="ends:Q", y2="after:N")


def _bars(base: theme.Layer, rows: pl.DataFrame) -> theme.Layer:
    kinds = rows["kind"].unique(maintain_order=True).to_list()
    colours = {kind: COLOURS.get(kind, theme.OTHERS) for kind in kinds}
    legend = alt.Legend(values=[kind for kind in kinds if kind in KINDS])
    axis = alt.Axis(title=TITLE, domain=False, ticks=False, tickCount=6)
    return base.mark_bar(height=16, cornerRadius=2).encode(
        x=alt.X("begins:Q", axis=axis, scale=_scale(rows)),
        x2="ends:Q",
        color=alt.Color("kind:N", scale=theme.fixed(colours), legend=legend),
        tooltip=[
            alt.Tooltip("what:N"),
            alt.Tooltip("kind:N"),
            alt.Tooltip("growth:Q", title="growth of demand", format="+.3~r"),
            alt.Tooltip("low:Q", format="+.3~r"),
            alt.Tooltip("high:Q", format="+.3~r"),
            alt.Tooltip("share:Q", title="share of demand", format=".2~%"),
            alt.Tooltip("why:N"),
        ],
    )


def _scale(rows: pl.DataFrame) -> alt.Scale:
    """Span all bars and intervals, with room for the numbers on the right."""
    places = rows.select("begins", "ends", "least", "most").unpivot()["value"].drop_nulls()
    least, most = min(0.0, *places), max(0.0, *places)
    return alt.Scale(domain=[least, most + 0.25 * ((most - least) or 1.0)], nice=False)


def _intervals(base: theme.Layer) -> theme.Layer:
    known = base.transform_filter("datum.low !== null")
    line = known.mark_rule(color=theme.INK).encode(x="least:Q", x2="most:Q")
    ends = [
        known.mark_tick(color=theme.INK, height=8).encode(x=f"{x}:Q") for x in ("least", "most")
    ]
    return alt.layer(line, *ends)


def _labels(base: theme.Layer) -> theme.Layer:
    """Write the growth and its share."""
    return (
        base.transform_calculate(label=LABEL)
        .mark_text(align="left", dx=8, color=theme.INK, fontSize=12)
        .encode(x="right:Q", text="label:N")
    )
