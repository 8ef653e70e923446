"""Charts: a frame in, an Altair chart out. One file each; they never see the store."""

from __future__ import annotations

from collections.abc import Mapping

from kubepostmortem.charts.before_after import before_after
from kubepostmortem.charts.deploys_and_load import deploys_and_load
from kubepostmortem.charts.footprint import footprint
from kubepostmortem.charts.growth_bars import growth_bars
from kubepostmortem.charts.growth_ledger import growth_ledger
from kubepostmortem.charts.load_over_time import load_over_time, requests_over_time
from kubepostmortem.charts.request_shape import request_shape
from kubepostmortem.charts.theme import Draw
from kubepostmortem.charts.throttling import throttling
from kubepostmortem.charts.timeline_lanes import timeline_lanes

CHARTS: Mapping[str, Draw] = {
    "before_after": before_after,
    "deploys_and_load": deploys_and_load,
    "footprint": footprint,
    "growth_bars": growth_bars,
    "growth_ledger": growth_ledger,
    "load_over_time": load_over_time,
    "request_shape": request_shape,
    "requests_over_time": requests_over_time,
    "throttling": throttling,
    "timeline_lanes": timeline_lanes,
}
