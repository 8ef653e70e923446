"""What the API server counted: requests of the overload by what flow control did with them."""

from __future__ import annotations

import polars as pl

from kubepostmortem.questions.question import Figure, Inquiry

EXECUTED = "executed"
COUNTED = """
select flow_schema, priority_level, request_kind, outcome, requests
from refusals
where cluster = $cluster and time_window = 'overload'
order by requests desc, flow_schema, request_kind, outcome
"""
FEW = 0.1  # of the requests that the audit log shows as refused


def counted(inquiry: Inquiry, cluster: str) -> pl.DataFrame:
    """Return requests by flow schema (or kind of request) and outcome; empty without metrics."""
    return inquiry.frame("requests by outcome, as counted", COUNTED, cluster=cluster)


def reasons(rows: pl.DataFrame) -> dict[str, float]:
    """Return how many requests were refused for which reason, most first."""
    refused = rows.filter(pl.col("outcome") != EXECUTED).group_by("outcome").agg(pl.sum("requests"))
    ordered = refused.sort("requests", "outcome", descending=[True, False])
    return dict(zip(ordered["outcome"], ordered["requests"], strict=True))


def figure(rows: pl.DataFrame) -> Figure | None:
    """Draw flow schemas and outcomes."""
    if rows.is_empty():
        return None
    by_reason = [f"{number:,.0f} {why}" for why, number in reasons(rows).items()]
    says = f"Refused: {', '.join(by_reason)}" if by_reason else "Nothing was refused"
    return Figure("flow_outcomes", f"{says}, as the API server counted", rows)


def unlike_the_log(rows: pl.DataFrame, refused: int) -> list[str]:
    """Say where the counters tell another number of refusals than the audit log."""
    told = sum(reasons(rows).values())
    if rows.is_empty() or abs(told - refused) <= FEW * max(told, refused):
        return []
    why = "scrapes are missing" if told < refused else "the log lacks requests"
    return [
        f"The audit log shows {refused:,} requests answered 429 in the overload, the counters of "
        f"the API server {told:,.0f} ({why}, or the two do not cover the same time)."
    ]
