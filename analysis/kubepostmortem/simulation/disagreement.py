"""Audit log against metrics: requests of each priority level, and how many it refused."""

from __future__ import annotations

from typing import Any

import polars as pl

from kubepostmortem.simulation.asking import Asks
from kubepostmortem.simulation.classified import classified
from kubepostmortem.simulation.effective import Effective

TOLERATED = 0.1  # of the larger one of two counts
FEWEST = 20  # requests, below which a share says little

COLUMNS = {
    "priority_level": pl.String,
    "requests_audit": pl.Int64,
    "requests_counted": pl.Int64,
    "refused_audit": pl.Int64,
    "refused_counted": pl.Int64,
    "says": pl.String,
}
# From scrape to scrape: only what was counted within the window.
COUNTED = """
select
    priority_level, round(sum(gained))::bigint as requests,
    round(coalesce(sum(gained) filter (
        metric = 'apiserver_flowcontrol_rejected_requests_total'), 0))::bigint as refused,
    min(min(since_at)) over () as begins_at, max(max(sampled_at)) over () as ends_at
from flow_control_samples as samples
join incident using (cluster)
where cluster = $cluster and time_window = 'overload' and priority_level is not null
    and metric in (
        'apiserver_flowcontrol_dispatched_requests_total',
        'apiserver_flowcontrol_rejected_requests_total')
    and since_at >= incident.begins_at and sampled_at <= incident.ends_at
group by priority_level
order by priority_level
"""


def disagreements(asks: Asks, effective: Effective, cluster: str) -> pl.DataFrame:
    """Compare requests of the overload by priority level, as classified and as counted.

    Columns: priority_level; requests_audit and refused_audit (429), from the audit log;
    requests_counted (dispatched or rejected) and refused_counted (rejected), by the counters of
    API Priority and Fairness; says: a sentence where two counts differ by more than 10 %, else
    null. No rows without such counters.
    """
    counted = asks.frame("requests that flow control counted", COUNTED, cluster=cluster)
    if counted.is_empty():
        return pl.DataFrame(schema=COLUMNS)
    span = counted.row(0, named=True)
    logged = classified(asks, effective.configuration, cluster, span["begins_at"], span["ends_at"])
    levels = logged.group_by("priority_level").agg(
        requests_audit=pl.sum("requests"), refused_audit=pl.sum("refused")
    )
    told = counted.select("priority_level", requests_counted="requests", refused_counted="refused")
    both = told.join(levels, on="priority_level", how="full", coalesce=True)
    rows = both.with_columns(pl.col(pl.Int64).fill_null(0)).sort("priority_level").to_dicts()
    return pl.DataFrame([row | {"says": _says(row)} for row in rows], schema=COLUMNS)


def _says(row: dict[str, Any]) -> str | None:
    said = [
        *_of_requests(row["requests_audit"], row["requests_counted"]),
        *_of_refused(row["refused_audit"], row["refused_counted"]),
    ]
    return f"Priority level {row['priority_level']}: {'; '.join(said)}." if said else None


def _of_requests(logged: int, counted: int) -> list[str]:
    if not _differ(logged, counted):
        return []
    why = (
        "the log lacks requests, or they were classified otherwise"
        if logged < counted
        else "scrapes are missing, or they were classified otherwise"
    )
    return [f"{logged} requests in the audit log, {counted} by the counters ({why})"]


def _of_refused(logged: int, counted: int) -> list[str]:
    if not _differ(logged, counted):
        return []
    why = (
        "clients that left while they waited are answered otherwise, or the log lacks requests"
        if logged < counted
        else "others answer 429 too, like webhooks or a watch cache that is not ready"
    )
    return [f"{logged} answered 429 in the audit log, {counted} rejected by the counters ({why})"]


def _differ(one: int, other: int) -> bool:
    larger = max(one, other)
    return larger >= FEWEST and abs(one - other) > TOLERATED * larger
