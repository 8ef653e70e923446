"""What the evidence holds about the DNS of one cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kubepostmortem.questions.question import Inquiry

Row = dict[str, Any]

WINDOWS = """
select cluster,
    min(begins_at) filter (time_window = 'baseline') as baseline_at,
    min(begins_at) filter (time_window = 'overload') as overload_at,
    max(ends_at) filter (time_window = 'overload') as ends_at,
    any_value(interval_s) as interval_s
from incident
left join (select cluster as known, interval_s from intervals) on known = cluster
group by cluster having count(*) = 2 order by cluster
"""
LOOKUPS = """
select cluster, server,
    count(*) as lookups,
    count(*) filter (failed) as failures,
    count(*) filter (came_of_it = 'time-out') as time_outs,
    count(*) filter (came_of_it = 'SERVFAIL') as servfails,
    count(*) filter (failed and in_cluster) as in_cluster_failures,
    count(*) filter (failed and probed_at < overload_at) as failures_before,
    count(*) filter (probed_at < overload_at) as lookups_before
from dns_lookups
join (select cluster, min(begins_at) as begins_at,
        min(begins_at) filter (time_window = 'overload') as overload_at
    from incident group by cluster) as windows using (cluster)
where probed_at >= begins_at
group by cluster, server order by cluster, server
"""
OUTAGES = "from dns_outages order by began_at, cluster, server"
PODS = "from dns_pods order by coalesce(deleted_at, bound_at, first_call_at), cluster, pod"
RESTARTS = "from dns_restarts order by not_after_at, cluster, server"
COUNTED = """
select cluster, server, is_node_cache, counted,
    sum(gained) filter (since_at < overload_at) as before,
    sum(gained) filter (since_at >= overload_at and sampled_at < ends_at) as during,
    min(sampled_at) filter (gained > 0 and since_at >= overload_at) as first_at
from dns_counters
join (select cluster,
        min(begins_at) as begins_at, max(ends_at) as ends_at,
        min(begins_at) filter (time_window = 'overload') as overload_at
    from incident group by cluster) as windows using (cluster)
where since_at >= begins_at
group by all order by cluster, server, counted
"""
LATE = """
select cluster, namespace, pod, deleted_at, written_at, stale_s
from endpoint_lags order by deleted_at, cluster, pod
"""
SCRAPES = """
select cluster, coalesce(labels['instance'], labels['pod'], '') as server,
    count(*) as scrapes, count(*) filter (value = 0) as failed,
    min(sampled_at) filter (value = 0) as first_failed_at
from metric_series
join metric_samples using (series_id)
join (select cluster as known, min(begins_at) as begins_at, max(ends_at) as ends_at
    from incident where time_window = 'overload' group by cluster) as windows on known = cluster
where metric = 'up' and is_dns_process(labels)
    and sampled_at >= begins_at and sampled_at < ends_at
group by all order by cluster, server
"""


@dataclass(frozen=True)
class Facts:
    """Rows about one cluster, each list in the order of time or of servers."""

    cluster: str
    baseline_at: datetime
    overload_at: datetime
    ends_at: datetime
    interval_s: float
    lookups: Sequence[Row] = field(default=())
    outages: Sequence[Row] = field(default=())  # those that began in the overload or later
    pods: Sequence[Row] = field(default=())
    restarts: Sequence[Row] = field(default=())
    counted: Sequence[Row] = field(default=())
    late: Sequence[Row] = field(default=())  # pods deleted in the overload or later
    late_before: Sequence[Row] = field(default=())
    scrapes: Sequence[Row] = field(default=())

    @property
    def is_known(self) -> bool:
        """Tell whether the evidence holds anything about DNS."""
        return bool(self.lookups or self.pods or self.counted or self.restarts)

    @property
    def deleted(self) -> list[Row]:
        """DNS pods that were deleted in the overload."""
        return [pod for pod in self.pods if self.within(pod["deleted_at"])]

    @property
    def placed(self) -> list[Row]:
        """DNS pods that were placed on a node in the overload or after it."""
        return [p for p in self.pods if p["bound_at"] and p["bound_at"] >= self.overload_at]

    @property
    def restarted(self) -> list[Row]:
        """DNS processes that started in the overload."""
        return [one for one in self.restarts if self.within(one["not_after_at"])]

    @property
    def failing(self) -> list[Row]:
        """Servers with lookups that failed in the overload or after it."""
        return [one for one in self.lookups if one["failures"] > one["failures_before"]]

    def within(self, moment: datetime | None) -> bool:
        """Tell whether a time lies in the overload."""
        return moment is not None and self.overload_at <= moment < self.ends_at

    def total(self, counted: str, column: str = "during", cache: bool | None = None) -> float:
        """Sum what all servers counted; cache: of node caches alone, or without them."""
        rows = [row for row in self.counted if row["counted"] == counted]
        if cache is not None:
            rows = [row for row in rows if row["is_node_cache"] == cache]
        return float(sum(row[column] or 0 for row in rows))

    def counts(self, *names: str) -> bool:
        """Tell whether any server has one of these counters."""
        return any(row["counted"] in names for row in self.counted)


def facts(inquiry: Inquiry) -> list[Facts]:
    """Look up the facts of every cluster that has both windows."""
    windows = inquiry.rows("the windows of each cluster", WINDOWS)
    found = {
        "lookups": _by_cluster(inquiry, "lookups of probing clients", LOOKUPS),
        "outages": _by_cluster(inquiry, "outages as probing clients saw them", OUTAGES),
        "pods": _by_cluster(inquiry, "pods of the cluster DNS", PODS),
        "restarts": _by_cluster(inquiry, "starts of DNS processes", RESTARTS),
        "counted": _by_cluster(inquiry, "what DNS servers counted", COUNTED),
        "late": _by_cluster(inquiry, "endpoints after pods were deleted", LATE),
        "scrapes": _by_cluster(inquiry, "scrapes of DNS servers in the overload", SCRAPES),
    }
    return [_facts(window, found) for window in windows]


def _by_cluster(inquiry: Inquiry, shows: str, sql: str) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in inquiry.rows(shows, sql):
        groups.setdefault(row["cluster"], []).append(row)
    return groups


def _facts(window: Row, found: Mapping[str, Mapping[str, list[Row]]]) -> Facts:
    of = {name: groups.get(window["cluster"], []) for name, groups in found.items()}
    begins, ends = window["overload_at"], window["ends_at"]
    return Facts(
        cluster=window["cluster"],
        baseline_at=window["baseline_at"],
        overload_at=begins,
        ends_at=ends,
        interval_s=float(window["interval_s"] or 0),
        lookups=of["lookups"],
        outages=[one for one in of["outages"] if one["began_at"] >= begins],
        pods=of["pods"],
        restarts=of["restarts"],
        counted=of["counted"],
        late=[one for one in of["late"] if begins <= one["deleted_at"] < ends],
        late_before=[
            one for one in of["late"] if window["baseline_at"] <= one["deleted_at"] < begins
        ],
        scrapes=of["scrapes"],
    )
