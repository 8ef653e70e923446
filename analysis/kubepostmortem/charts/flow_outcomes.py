"""What flow control did with the requests of each flow schema."""

from __future__ import annotations

from textwrap import wrap

import altair as alt
import polars as pl

from kubepostmortem.charts import theme

MOST = 16
EXECUTED = "executed"
OUTCOMES = (
    EXECUTED,
    "queue-full",
    "concurrency-limit",
    "time-out",
    "cancelled",
    "in-flight limit",
)
LETTERS = 12  # that fit into a line above a column
LINE = 13  # pixels
POOLS = {"readOnly": "read-only requests", "mutating": "mutating requests"}
OTHERS = "other flow schemas"


@theme.chart("flow_schema", "priority_level", "outcome", "requests")
def flow_outcomes(rows: pl.DataFrame) -> theme.Chart:
    """Draw a table of flow schemas and outcomes: requests as text, their share as colour.

    Rows are those of the view refusals. Where fairness is off there are no flow schemas: the rows
    of the table are then the kinds of requests (column request_kind), if they are told.
    """
    cells = _cells(rows)
    flows = cells["who"].unique(maintain_order=True).to_list()
    outcomes = _order(cells["outcome"].unique().to_list())
    base = alt.Chart(theme.data(cells)).encode(x=_outcomes(outcomes), y=_flows(flows))
    return alt.layer(*_drawn(base)).properties(width=theme.WIDTH, height=38 * len(flows))


def _cells(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per flow and outcome, those with most refusals first, with the share of the flow."""
    named = _named(rows)
    flow = named.group_by("who").agg(
        pl.col("requests").sum().alias("total"),
        pl.col("requests").filter(pl.col("outcome") != EXECUTED).sum().alias("refused"),
    )
    order = flow.filter(pl.col("total") > 0).sort(
        "refused", "total", "who", descending=[True, True, False]
    )
    if order.height > MOST:
        kept = order["who"].head(MOST - 1).to_list()
        who = pl.when(pl.col("who").is_in(kept)).then("who").otherwise(pl.lit(OTHERS))
        return _counted(named.with_columns(who=who), [*kept, OTHERS])
    return _counted(named, order["who"].to_list())


def _named(rows: pl.DataFrame) -> pl.DataFrame:
    """Name each flow in lines: its schema, and the priority level that it leads to."""
    kind = pl.col("request_kind") if "request_kind" in rows.columns else pl.lit(None, pl.String)
    named = rows.select(
        pl.coalesce("flow_schema", kind.replace(POOLS), pl.lit("all requests")).alias("flow"),
        pl.col("priority_level").cast(pl.String).alias("level"),
        "outcome",
        pl.col("requests").cast(pl.Float64),
    )
    return named.with_columns(
        who=pl.concat_str("flow", pl.lit("\n→ ") + pl.col("level"), ignore_nulls=True)
    )


def _counted(named: pl.DataFrame, order: list[str]) -> pl.DataFrame:
    ranks = pl.DataFrame(
        {"who": order, "rank": range(len(order))}, schema_overrides={"who": pl.String}
    )
    counted = named.group_by("who", "outcome").agg(
        pl.col("requests").sum(), pl.col("flow").first(), pl.col("level").first()
    )
    share = pl.col("requests") / pl.col("requests").sum().over("who")
    ranked = counted.filter(pl.col("requests") > 0).join(ranks, on="who")
    return ranked.with_columns(
        share=share,
        refused=pl.col("outcome") != EXECUTED,
        column=pl.col("outcome").map_elements(_above, pl.String),
    ).sort("rank", "outcome")


def _order(outcomes: list[str]) -> list[str]:
    """What was executed comes first, and is a column of its own even where nothing was."""
    known = [name for name in OUTCOMES if name in outcomes or name == EXECUTED]
    return known + sorted(set(outcomes) - set(known))


def _outcomes(outcomes: list[str]) -> alt.X:
    columns = [_above(outcome) for outcome in outcomes]
    axis = alt.Axis(
        orient="top",
        title="Requests, coloured by share of the row",
        domain=False,
        ticks=False,
        labelAngle=0,
        labelColor=theme.INK,
        labelExpr="split(datum.label, '\\n')",
        labelLineHeight=LINE,
        labelPadding=6 + LINE,  # lines grow downwards
    )
    return alt.X("column:N", scale=alt.Scale(domain=columns, paddingInner=0.04), axis=axis)


def _above(outcome: str) -> str:
    """Return the outcome in two lines; a short one has its line at the bottom."""
    lines = wrap(outcome, LETTERS, max_lines=2, placeholder="…")
    return "\n".join(lines if len(lines) == 2 else ["", *lines])


def _flows(flows: list[str]) -> alt.Y:
    axis = theme.names_in_lines(
        labelLineHeight=LINE,
        labelOffset=-LINE / 2 if any("\n" in flow for flow in flows) else 0,
    )
    return alt.Y("who:N", scale=alt.Scale(domain=flows, paddingInner=0.1), axis=axis)


def _drawn(base: theme.Layer) -> list[theme.Layer]:
    colour = alt.condition("datum.refused", alt.value(theme.STRONG), alt.value(theme.CALM))
    darkness = alt.Scale(type="pow", exponent=0.7, domain=[0, 1], range=[0.08, 0.92])
    cells = base.mark_rect(cornerRadius=3).encode(
        color=colour,
        fillOpacity=alt.FillOpacity("share:Q", scale=darkness, legend=None),
        tooltip=[
            alt.Tooltip("flow:N", title="flow schema"),
            alt.Tooltip("level:N", title="priority level"),
            alt.Tooltip("outcome:N"),
            alt.Tooltip("requests:Q", format=",.0f"),
            alt.Tooltip("share:Q", format=".2~%"),
        ],
    )
    on_dark = alt.condition("datum.share > 0.7", alt.value(theme.PAPER), alt.value(theme.INK))
    numbers = base.mark_text(fontSize=12, fontWeight=600).encode(
        text=alt.Text("requests:Q", format=",.0f"), color=on_dark
    )
    return [cells, numbers]
