"""One example of each metrics format: recognised, its samples read, and read once only."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from kubepostmortem.sources import exposition, grafana_csv, prometheus_api, victoriametrics
from kubepostmortem.sources.source import Numbered

TOTAL, SHED = "apiserver_request_total", "apiserver_flowcontrol_rejected_requests_total"
AT = datetime(2024, 12, 11, 22, 53)
LATER = AT.replace(second=30)
TAKEN = datetime(2024, 12, 11, 23)

EXAMPLES = {
    "prom_query_range.json": (
        prometheus_api,
        "Prometheus API answer",
        [(TOTAL, AT, 1204), (TOTAL, LATER, 9120)],
    ),
    "metrics.prom": (exposition, "Prometheus text", [(SHED, TAKEN, 812), (TOTAL, TAKEN, 9120)]),
    "promtool_dump.txt": (exposition, "Prometheus text", [(TOTAL, LATER, 9120)]),
    "promtool_openmetrics.txt": (exposition, "Prometheus text", [(TOTAL, LATER, 9120)]),
    "victoriametrics_export.jsonl": (
        victoriametrics,
        "VictoriaMetrics export",
        [(TOTAL, AT, 1204), (TOTAL, LATER, 9120)],
    ),
    "grafana_inspect.csv": (
        grafana_csv,
        "Grafana CSV",
        [("grafana_inspect", AT, 120.4), ("grafana_inspect", AT, 410)],
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_gives_its_samples_once(recorded, store, target, name):
    source, called, samples = EXAMPLES[name]
    file = recorded(f"formats/{name}")
    told = replace(target, assume_tz="UTC", taken_at=TAKEN)

    (first,), (again,) = (source.load([Numbered(n, file)], told) for n in (1, 2))

    assert source.recognises(file)
    assert source.name == called
    assert (first.lines, first.loaded, first.rejected) == (len(samples), len(samples), {})
    assert (again.loaded, again.duplicates) == (0, len(samples))
    found = store.frame(
        "select metric, sampled_at, value from metric_samples join metric_series using (series_id) "
        "order by all"
    )
    assert found.rows() == samples
