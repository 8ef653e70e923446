"""Charts: a frame in, an Altair chart out. One file each; they never see the store."""

from __future__ import annotations

from collections.abc import Mapping

from kubepostmortem.charts.actual_against_what_if import actual_against_what_if
from kubepostmortem.charts.admin_attempts import admin_attempts
from kubepostmortem.charts.alert_lanes import alert_lanes
from kubepostmortem.charts.before_after import before_after
from kubepostmortem.charts.component_availability import component_availability
from kubepostmortem.charts.deploys_and_load import deploys_and_load
from kubepostmortem.charts.dns_cliff import dns_cliff
from kubepostmortem.charts.fan_out import fan_out
from kubepostmortem.charts.flow_outcomes import flow_outcomes
from kubepostmortem.charts.footprint import footprint
from kubepostmortem.charts.growth_bars import growth_bars
from kubepostmortem.charts.growth_ledger import growth_ledger
from kubepostmortem.charts.load_and_actions import load_and_actions
from kubepostmortem.charts.load_over_time import load_over_time, requests_over_time
from kubepostmortem.charts.nodes_covered import nodes_covered
from kubepostmortem.charts.request_shape import request_shape
from kubepostmortem.charts.seats_per_level import seats_per_level
from kubepostmortem.charts.theme import Draw
from kubepostmortem.charts.throttling import throttling
from kubepostmortem.charts.timeline_lanes import timeline_lanes
from kubepostmortem.charts.versions_over_time import versions_over_time

CHARTS: Mapping[str, Draw] = {
    "actual_against_what_if": actual_against_what_if,
    "admin_attempts": admin_attempts,
    "alert_lanes": alert_lanes,
    "before_after": before_after,
    "component_availability": component_availability,
    "deploys_and_load": deploys_and_load,
    "dns_cliff": dns_cliff,
    "fan_out": fan_out,
    "flow_outcomes": flow_outcomes,
    "footprint": footprint,
    "growth_bars": growth_bars,
    "growth_ledger": growth_ledger,
    "load_and_actions": load_and_actions,
    "load_over_time": load_over_time,
    "nodes_covered": nodes_covered,
    "request_shape": request_shape,
    "requests_over_time": requests_over_time,
    "seats_per_level": seats_per_level,
    "throttling": throttling,
    "timeline_lanes": timeline_lanes,
    "versions_over_time": versions_over_time,
}
