"""DNS over time: lookups that failed, cache hits and codes under the load of the API server."""

from __future__ import annotations

import altair as alt
import polars as pl

from kubepostmortem.charts import panels, theme

LOAD, EVENT = "API requests/s", "event"
FAILED, HITS, CODES = "lookups that failed", "cache hits", "SERVFAIL answers"
LANES = {LOAD: theme.CALM, FAILED: theme.STRONG, HITS: theme.SERIES[2], CODES: theme.SERIES[3]}
HEIGHT = 78  # pixels of a panel
MOST_SERVERS = 6
MOST_EVENTS = 6
LINE = 14  # pixels of the name of an event


@theme.chart("lane", "server", "sampled_at", "value", "label")
def dns_cliff(rows: pl.DataFrame) -> theme.Chart:
    """Draw a panel per lane, one above the other, with rules where something happened.

    Rows: lane is one of LANES or `event`; value is a share from 0 to 1, or requests per second;
    server tells lines of a lane apart; label names an event.
    """
    used = rows.filter(pl.col("lane").is_in([*LANES, EVENT]), pl.col("sampled_at").is_not_null())
    present = used["lane"].to_list()
    lanes = [lane for lane in LANES if lane in present]
    events = used.filter(lane=EVENT).select("sampled_at", "label").sort("sampled_at", "label")
    events = events.head(MOST_EVENTS)
    drawn = [] if events.is_empty() or not lanes else [_names(events, used["sampled_at"])]
    drawn += [_panel(used, events, lane, lane == lanes[-1]) for lane in lanes]
    return alt.vconcat(*(drawn or [theme.no_rows()]), spacing=26)


def _panel(rows: pl.DataFrame, events: pl.DataFrame, lane: str, is_last: bool) -> theme.Layer:
    mine = _steps(rows.filter(lane=lane), lane)
    moments = rows["sampled_at"]
    base = (
        alt.Chart(theme.data(mine))
        .transform_calculate(time=theme.clock("sampled_at"))
        .encode(x=panels.time("sampled_at", moments, is_last))
    )
    layers = [
        _drawn(base, lane),
        panels.heading(lane, _fact(mine, lane)),
        *([] if events.is_empty() else [_rules(events, moments, is_last)]),
        _hover(base, lane),
    ]
    return alt.layer(*layers).properties(width=theme.WIDTH, height=HEIGHT)


def _steps(rows: pl.DataFrame, lane: str) -> pl.DataFrame:
    """Mean per step and server; servers beyond the worst ones are left out."""
    width = panels.step(rows["sampled_at"])
    worst = (
        rows.group_by("server")
        .agg(pl.col("value").fill_nan(None).mean())
        .sort("value", "server", descending=[lane != HITS, False], nulls_last=True)
        .head(MOST_SERVERS)["server"]
    )
    return (
        rows.filter(pl.col("server").is_in(worst.to_list()))
        .with_columns(
            pl.col("sampled_at").dt.truncate(f"{int(width.total_seconds())}s"),
            pl.col("value").cast(pl.Float64).fill_nan(None),
        )
        .group_by("server", "sampled_at")
        .agg(pl.col("value").mean())
        .sort("server", "sampled_at")
    )


def _drawn(base: theme.Layer, lane: str) -> theme.Layer:
    """Draw an area of load, lines of shares."""
    if lane == LOAD:
        area = base.mark_area(
            interpolate="step-after", color=LANES[lane], opacity=0.25, line={"color": LANES[lane]}
        )
        return area.encode(y=_axis("~s"))
    line = base.mark_line(interpolate="step-after", color=LANES[lane], strokeWidth=1.6)
    return line.encode(y=_axis("%", [0, 1]), detail="server:N")


def _axis(form: str, domain: list[float] | None = None) -> alt.Y:
    axis = alt.Axis(
        title=None, tickCount=3, format=form, minExtent=panels.EXTENT, maxExtent=panels.EXTENT
    )
    scale = alt.Scale(domain=domain) if domain else alt.Scale(domainMin=0)
    return alt.Y("value:Q", axis=axis, scale=scale)


def _fact(rows: pl.DataFrame, lane: str) -> str:
    """The extreme of a lane, in words."""
    values = rows["value"].drop_nulls()
    if values.is_empty():
        return ""
    least, most = float(values.min()), float(values.max())  # type: ignore[arg-type]
    if lane == LOAD:
        return f"up to {most:,.3g}"
    return f"down to {least:.0%}" if lane == HITS else f"up to {most:.0%}"


def _rules(events: pl.DataFrame, moments: pl.Series, is_last: bool) -> theme.Layer:
    """Draw a dashed rule through a panel for every event."""
    base = alt.Chart(theme.data(events))
    rule = base.mark_rule(color=theme.MUTED, strokeDash=[4, 3])
    return rule.encode(x=panels.time("sampled_at", moments, is_last))


def _names(events: pl.DataFrame, moments: pl.Series) -> theme.Layer:
    """Name the events, each on a line of its own, right of early rules and left of late ones.

    Late ones stand the latest first, so that no name crosses the rule of another late one.
    """
    span = moments.max() - moments.min()  # type: ignore[operator]
    late = events["sampled_at"] > moments.min() + span / 2  # type: ignore[operator]
    named = (
        pl.concat([events.filter(~late), events.filter(late).reverse()])
        .with_columns(late=pl.Series(sorted(late)))
        .with_row_index("line")
        .with_columns(middle=LINE * (pl.col("line") + 0.5))
    )
    height = LINE * named.height
    base = (
        alt.Chart(theme.data(named))
        .transform_calculate(time=theme.clock("sampled_at"))
        .encode(x=panels.time("sampled_at", moments, False), y=alt.Y("middle:Q", scale=None))
    )
    tooltip = [alt.Tooltip("label:N", title="event"), alt.Tooltip("time:N")]
    words = base.encode(text="label:N", tooltip=tooltip)
    layers = [
        base.mark_rule(color=theme.MUTED, strokeDash=[4, 3]).encode(y2=alt.value(height)),
        words.transform_filter("!datum.late").mark_text(align="left", dx=5, fontSize=11),
        words.transform_filter("datum.late").mark_text(align="right", dx=-5, fontSize=11),
    ]
    return alt.layer(*layers).properties(width=theme.WIDTH, height=height)


def _hover(base: theme.Layer, lane: str) -> theme.Layer:
    """Wide invisible rules carry the tooltips."""
    form = ",.3~r" if lane == LOAD else ".1%"
    tooltip = [
        alt.Tooltip("time:N"),
        alt.Tooltip("server:N"),
        alt.Tooltip("value:Q", title=lane, format=form),
    ]
    rule = base.mark_rule(strokeWidth=6, opacity=0)
    return rule.encode(y=alt.value(0), y2=alt.value(HEIGHT), tooltip=tooltip)
