"""Charts: a frame in, an Altair chart out. One file each; they never see the store."""

from __future__ import annotations

from collections.abc import Mapping

from kubepostmortem.charts.actual_against_what_if import actual_against_what_if
from kubepostmortem.charts.admin_attempts import admin_attempts
from kubepostmortem.charts.before_after import before_after
from kubepostmortem.charts.deploys_and_load import deploys_and_load
from kubepostmortem.charts.flow_outcomes import flow_outcomes
from kubepostmortem.charts.footprint import footprint
from kubepostmortem.charts.growth_bars import growth_bars
from kubepostmortem.charts.growth_ledger import growth_ledger
from kubepostmortem.charts.load_over_time import load_over_time, requests_over_time
from kubepostmortem.charts.request_shape import request_shape
from kubepostmortem.charts.seats_per_level import seats_per_level
from kubepostmortem.charts.theme import Draw
from kubepostmortem.charts.throttling import throttling
from kubepostmortem.charts.timeline_lanes import timeline_lanes

CHARTS: Mapping[str, Draw] = {
    "actual_against_what_if": actual_against_what_if,
    "admin_attempts": admin_attempts,
    "before_after": before_after,
    "deploys_and_load": deploys_and_load,
    "flow_outcomes": flow_outcomes,
    "footprint": footprint,
    "growth_bars": growth_bars,
    "growth_ledger": growth_ledger,
    "load_over_time": load_over_time,
    "request_shape": request_shape,
    "requests_over_time": requests_over_time,
    "seats_per_level": seats_per_level,
    "throttling": throttling,
    "timeline_lanes": timeline_lanes,
}
