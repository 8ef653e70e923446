"""Seats of the priority levels in the overload, as metrics tell."""

from __future__ import annotations

import polars as pl

from kubepostmortem.questions.question import Figure, Inquiry, Table

WINDOWS = """
    select min(begins_at) as first_at, max(ends_at) as last_at,
        max(begins_at) filter (time_window = 'overload') as overload_at,
        max(ends_at) filter (time_window = 'overload') as ended_at
    from incident
    where cluster = $cluster
"""
OVER_TIME = f"""
with windows as ({WINDOWS})
select
    instance, priority_level, sampled_at, seats_in_use,
    coalesce(limit_seats, nominal_seats) as limit_seats, requests_waiting, refused_per_s
from seats_over_time, windows
where cluster = $cluster and sampled_at >= first_at and sampled_at < last_at
order by priority_level, instance, sampled_at
"""
LEVELS = f"""
with windows as ({WINDOWS})
select
    priority_level, max(nominal_seats) as nominal_seats,
    max(coalesce(limit_seats, nominal_seats)) as most_seats, max(seats_in_use) as most_in_use,
    count(*) filter (seats_in_use >= coalesce(limit_seats, nominal_seats)) / count(*) as full_share,
    max(requests_waiting) as most_waiting, max(mean_wait_s) as mean_wait_s,
    max(refused_per_s) as refused_per_s
from seats_over_time, windows
where cluster = $cluster and sampled_at >= overload_at and sampled_at < ended_at
    and priority_level <> 'exempt'
group by priority_level
having most_in_use > 0 or refused_per_s > 0
order by refused_per_s desc nulls last, full_share desc, priority_level
"""


def levels(inquiry: Inquiry, cluster: str) -> pl.DataFrame:
    """Return a row per level that was used: seats, peaks, part of the samples at its limit."""
    return inquiry.frame("seats and queues of the priority levels", LEVELS, cluster=cluster)


def figure(inquiry: Inquiry, cluster: str, used: pl.DataFrame) -> Figure | None:
    """Draw seats over time, from the baseline to the end of the overload; used: see levels."""
    rows = inquiry.frame("seats over time", OVER_TIME, cluster=cluster)
    if rows.is_empty():
        return None
    return Figure("seats_per_level", _says(used), rows)


def _says(rows: pl.DataFrame) -> str:
    waiting = rows.filter(pl.col("most_waiting") > 0).sort("most_waiting").tail(1)
    for level, most in waiting.select("priority_level", "most_waiting").iter_rows():
        return f"Seats of the priority levels: in {level} up to {most:,.0f} requests waited"
    return "Seats of the priority levels: nobody waited"


def table(rows: pl.DataFrame) -> Table:
    """Tabulate the levels; mean_wait_s is the longest mean wait between two samples."""
    return Table("Seats of the priority levels in the overload, of one API server", rows)
