"""What metrics tell of the limits of an API server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kubepostmortem.simulation.asking import Asks

NEAR_S = 60.0  # of the begin of the log: current limits change every 10 s
MANDATORY = "catch-all"  # every API server has this level

LEVELS = """
select priority_level, nominal_seats, least_nominal_seats, most_nominal_seats, first_seats, far_s
from level_limits
where cluster = $cluster
order by priority_level
"""
KEPT = """
select
    count(*) filter (starts_with(metric, 'apiserver_flowcontrol_')) as flow_control,
    count(*) filter (metric = 'apiserver_current_inflight_requests') as in_flight
from metric_series
where cluster = $cluster
    and (starts_with(metric, 'apiserver_flowcontrol_')
        or metric = 'apiserver_current_inflight_requests')
    and not regexp_matches(
        coalesce(labels['job'], ''), 'controller-manager|scheduler|kubelet|metrics-server')
"""
PEAKS = """
select labels['request_kind'] as request_kind, max(value)::bigint as most
from metric_series
join metric_samples using (series_id)
where cluster = $cluster and metric = 'apiserver_current_inflight_requests' and isfinite(value)
    and labels['request_kind'] is not null
group by request_kind
"""
FLOWS = """
select distinct labels['flow_schema'] as flow_schema, labels['priority_level'] as priority_level
from metric_series
where cluster = $cluster and metric = 'apiserver_flowcontrol_dispatched_requests_total'
    and labels['flow_schema'] is not null and labels['priority_level'] is not null
    and not regexp_matches(
        coalesce(labels['job'], ''), 'controller-manager|scheduler|kubelet|metrics-server')
order by flow_schema, priority_level
"""
WAITED = """
select
    (select count(*) from http_log where cluster = $cluster and priority_level is not null)
    + (select count(*) from requests where cluster = $cluster and apf_queue_wait_ms is not null)
    as requests
"""


@dataclass(frozen=True)
class Told:
    """Seats by priority level, and which metrics there are.

    nominal, current: seats by level, the latter when the log begins; varying: levels whose nominal
    limit was not the same all the time; flows: FlowSchemas and the levels they sent requests to;
    peaks: most requests in flight by request_kind; classified: requests of the logs that only API
    Priority and Fairness marks so.
    """

    nominal: Mapping[str, int]
    current: Mapping[str, int]
    varying: tuple[str, ...]
    flows: tuple[tuple[str, str], ...]
    flow_control: bool
    in_flight: bool
    peaks: Mapping[str, int]
    classified: int

    @property
    def names_all_levels(self) -> bool:
        """Whether a level without a nominal limit did not exist."""
        return MANDATORY in self.nominal


def told_by_metrics(asks: Asks, cluster: str) -> Told:
    """Return what metrics, and marks in the logs, tell of flow control in a cluster."""
    levels = asks.frame("seats of the priority levels", LEVELS, cluster=cluster).to_dicts()
    (kept,) = asks.frame("metrics of flow control", KEPT, cluster=cluster).to_dicts()
    peaks = asks.frame("most requests in flight", PEAKS, cluster=cluster).iter_rows()
    flows = asks.frame("flow schemas that metrics name", FLOWS, cluster=cluster).iter_rows()
    waited = asks.frame("requests that the logs show as classified", WAITED, cluster=cluster)
    return Told(
        {row["priority_level"]: n for row in levels if (n := row["nominal_seats"]) is not None},
        {
            row["priority_level"]: row["first_seats"]
            for row in levels
            if row["first_seats"] is not None and (row["far_s"] or 0) <= NEAR_S
        },
        tuple(
            row["priority_level"]
            for row in levels
            if row["least_nominal_seats"] != row["most_nominal_seats"]
        ),
        tuple(flows),
        kept["flow_control"] > 0,
        kept["in_flight"] > 0,
        dict(peaks),
        waited["requests"][0],
    )
