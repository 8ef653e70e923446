"""Lookups that several questions share: causes of the growth."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl

from kubepostmortem.attribution.causes import LATER_S, Cause, rank_causes
from kubepostmortem.attribution.onset import onset
from kubepostmortem.incident import iso
from kubepostmortem.questions.question import Answer, Inquiry, Missing

COUNTS = """
select
    load.cluster, component, verb,
    (epoch(interval_at - baseline_at) / interval_s)::integer as bin,
    sum(requests) as requests,
    (epoch(overload_at - baseline_at) / interval_s)::integer as overload_bin,
    ceil(epoch(ends_at - baseline_at) / interval_s)::integer as bins,
    baseline_at, interval_s
from load_by_interval as load
join (
    -- Windows set by hand need not begin with an interval.
    select
        cluster, overload.ends_at,
        time_bucket(to_seconds(interval_s), baseline.begins_at) as baseline_at,
        time_bucket(to_seconds(interval_s), overload.begins_at) as overload_at
    from incident as baseline
    join incident as overload using (cluster)
    join intervals using (cluster)
    where baseline.time_window = 'baseline' and overload.time_window = 'overload'
) as windows using (cluster)
where interval_at >= baseline_at and interval_at < ends_at
group by all
order by all
"""

# Onsets are known to the interval, so nearer ones tell no order.
OVERLOAD = """
select min(incident.begins_at) as begins_at, 2.0 * max(interval_s) as later_s
from incident join intervals using (cluster)
where time_window = 'overload'
"""

FIRST_REQUEST = """
select component, verb, min(received_at) as first_at
from requests
join (select unnest($components) as component, unnest($verbs) as verb,
    unnest($since)::timestamp as since) as wanted using (component, verb)
where received_at >= since
group by component, verb
"""


def causes(inquiry: Inquiry) -> list[Cause]:
    """Return the causes of the growth, largest demand first; empty where nothing grew."""
    growth = inquiry.frame("growth of every cell of load", "from load_growth")
    if growth.is_empty() or growth["growth_demand"].sum() <= 0:
        return []
    overload = inquiry.row("beginning of the overload", OVERLOAD)
    later_s = max(LATER_S, overload["later_s"])
    return rank_causes(growth, _onsets(inquiry), overload["begins_at"], later_s)


def nothing_grew(question: str, inquiry: Inquiry) -> Answer:
    """The open answer to a question about the cause where nothing grew."""
    return Answer(
        question=question,
        status="open",
        confidence="none",
        headline="Open: demand did not grow between the windows, so there is no cause to look at.",
        missing=[Missing("a window with more load", "kubepostmortem window --overload BEGIN/END")],
        sql=inquiry.statements,
    )


def _onsets(inquiry: Inquiry) -> dict[tuple[str, str], datetime]:
    """Return the first request of each component and verb in the interval of its onset."""
    counts = inquiry.frame("requests per interval of every component and verb", COUNTS)
    found = {
        (str(component), str(verb)): when
        for (component, verb), rows in counts.group_by("component", "verb", maintain_order=True)
        if (when := _onset_interval(rows)) is not None
    }
    firsts = inquiry.frame(
        "first request of each since its onset",
        FIRST_REQUEST,
        components=[component for component, _ in found],
        verbs=[verb for _, verb in found],
        since=[iso(when) for when in found.values()],
    )
    return {(component, verb): first for component, verb, first in firsts.iter_rows()}


def _onset_interval(rows: pl.DataFrame) -> datetime | None:
    """Return the beginning of the interval of the onset, the earliest over clusters."""
    times = [_onset_in_cluster(cluster) for _, cluster in rows.group_by("cluster")]
    return min((time for time in times if time is not None), default=None)


def _onset_in_cluster(rows: pl.DataFrame) -> datetime | None:
    first = rows.row(0, named=True)
    if not 0 < first["overload_bin"] < first["bins"]:
        return None
    counts = np.zeros(first["bins"])
    inside = rows.filter(pl.col("bin").is_between(0, counts.size - 1))
    counts[inside["bin"].to_numpy()] = inside["requests"].to_numpy()
    at = onset(counts, first["overload_bin"])
    if at is None:
        return None
    begins_at: datetime = first["baseline_at"]
    return begins_at + timedelta(seconds=at * first["interval_s"])
