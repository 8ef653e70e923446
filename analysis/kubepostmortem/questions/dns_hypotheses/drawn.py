"""Rows of the chart: load, failed lookups, cache hits and SERVFAIL of one cluster over time."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from kubepostmortem.questions.dns_hypotheses.cliffs import ANSWERS, CODES, HITS
from kubepostmortem.questions.dns_hypotheses.facts import Facts
from kubepostmortem.questions.dns_hypotheses.order import Moment
from kubepostmortem.questions.question import Inquiry

LOAD = """
select interval_at as sampled_at, sum(load_rollup.requests) / any_value(rollup_s) as value
from load_rollup
join intervals using (cluster)
where cluster = $cluster and interval_at >= $begins_at::timestamp
    and interval_at < $ends_at::timestamp
group by interval_at order by interval_at
"""
LANES = {
    ANSWERS: ("lookups that failed", True),
    HITS: ("cache hits", False),
    CODES: ("SERVFAIL answers", True),
}
SHOWN = {
    "API overload begins": "overload begins",
    "DNS pod deleted": "DNS pod deleted",
    "DNS pod has read its objects": "DNS pod ready",
    "DNS process starts": "DNS process starts",
}


def chart_rows(
    inquiry: Inquiry, one: Facts, shares: pl.DataFrame, order: Sequence[Moment]
) -> pl.DataFrame:
    """Rows of charts.dns_cliff: lane, server, sampled_at, value (share or per second), label."""
    load = inquiry.frame(
        "requests per second over time",
        LOAD,
        cluster=one.cluster,
        begins_at=one.baseline_at,
        ends_at=one.ends_at,
    ).with_columns(lane=pl.lit("API requests/s"), server=pl.lit(""))
    mine = shares.filter(
        pl.col("cluster") == one.cluster, pl.col("lookups") > 0, pl.col("began_at") < one.ends_at
    )
    parts = [load, *(_lane(mine, share, *lane) for share, lane in LANES.items())]
    parts.append(_events(order))
    return pl.concat([part for part in parts if not part.is_empty()], how="diagonal_relaxed")


def _lane(rows: pl.DataFrame, share: str, lane: str, is_rest: bool) -> pl.DataFrame:
    valid = pl.col("valid") / pl.col("lookups")
    return rows.filter(pl.col("share") == share).select(
        "server",
        sampled_at=pl.col("began_at"),
        value=1 - valid if is_rest else valid,
        lane=pl.lit(lane),
    )


def _events(order: Sequence[Moment]) -> pl.DataFrame:
    """The first of each kind of event: the chart has room for few."""
    first = {one.event: one for one in reversed(order) if one.event in SHOWN}
    rows = [
        {"lane": "event", "sampled_at": one.not_after_at, "label": SHOWN[one.event]}
        for one in first.values()
    ]
    return pl.DataFrame(rows)
