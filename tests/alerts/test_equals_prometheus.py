"""Our evaluation gives the values of a real Prometheus, for every rule and every function."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from alerts.planted_series import BEGIN_MS, planted
from alerts.real_values import assert_equal, intervals, openmetrics, ours, send, theirs
from kubepostmortem.alerts.evaluating import evaluate
from kubepostmortem.alerts.jobs import fitted
from kubepostmortem.alerts.parsing import parse
from kubepostmortem.alerts.recording import recorded as read
from kubepostmortem.alerts.replaying import moments
from kubepostmortem.alerts.rules import Rule, jobs, rules
from kubepostmortem.alerts.series import Integers, Samples
from kubepostmortem.alerts.states import spells
from kubepostmortem.store import Store
from prometheus_server import needs_prometheus, prometheus, write_blocks

pytestmark = needs_prometheus

BY_EXPRESSION = [rule for rule in rules() if rule.expression is not None]
MOMENTS: Integers = np.arange(BEGIN_MS + 5_000, BEGIN_MS + 6_500_000, 30_000)
PARTS = [
    'up{job="etcd"} offset 5m',
    "rate(etcd_server_proposals_failed_total[2m] offset 90s)",
    "increase(apiserver_request_total[90s])",
    "delta(etcd_mvcc_db_total_size_in_bytes[5m])",
    "sum_over_time(up[4m]) / count_over_time(up[4m])",
    "min_over_time(etcd_mvcc_db_total_size_in_bytes[20m]) - 3",
    "max_over_time(up[1m])",
    "avg_over_time(etcd_mvcc_db_total_size_in_bytes[7m])",
    "changes(up[10m]) > bool 3",
    "last_over_time(up[2m])",
    "min by (job) (up) + on (job) group_left () max by (job) (up)",
    "sum by (instance, job) (up) * on (job) group_left (extra) count by (job) (up)",
    "count by (job) (up) / on (job) group_right () sum by (instance, job) (up)",
    "avg without (instance) (up)",
    "sum without () (up)",
    "count(up)",
    "up unless on (instance) up == 0",
    'up or on (job) 2 * up{job="etcd"}',
    "-up % 2 ^ 2",
    "2 > up",
    "2 > bool up",
    "1 / (up - up)",
    'absent(up{job="none", instance=~"a.*"})',
    "absent(sum(none))",
    "vector(3) + 1 - 2",
    'up{job!~"ap.*", instance!=""}',
    'label_replace(up, "into", "$1-x", "job", "(.).*")',
    "histogram_quantile(0.5, rate(apiserver_request_sli_duration_seconds_bucket[5m]))",
    "histogram_quantile(1, sum by (le) (apiserver_request_sli_duration_seconds_bucket))",
    "predict_linear(etcd_mvcc_db_total_size_in_bytes[10m], 600)",
    "max_over_time((sum by (job) (up))[5m:40s] offset 1m)",
    "rate(sum by (job) (apiserver_request_total)[5m:1m])",
]


@pytest.fixture(scope="module")
def series() -> Samples:
    return planted(rules())


@pytest.fixture(scope="module")
def server(series: Samples, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("blocks")
    with prometheus(write_blocks(folder, openmetrics(series))) as url:
        yield url


@pytest.mark.parametrize("rule", BY_EXPRESSION, ids=lambda rule: rule.title)
def test_a_rule(rule: Rule, series: Samples, server: str) -> None:
    assert rule.expression is not None
    real = theirs(server, rule.expression, MOMENTS)
    assert_equal(ours(series, rule.expression, MOMENTS), real)


@pytest.mark.parametrize("text", PARTS)
def test_a_part_of_the_language(text: str, series: Samples, server: str) -> None:
    expression = parse(text)
    real = theirs(server, expression, MOMENTS)
    assert real
    assert_equal(ours(series, expression, MOMENTS), real)


def test_most_rules_hold_somewhere_in_the_planted_series(series: Samples) -> None:
    held = [
        one for one in BY_EXPRESSION if one.expression and ours(series, one.expression, MOMENTS)
    ]
    assert len(held) > 0.5 * len(BY_EXPRESSION)


class Plain:
    def __init__(self, store: Store) -> None:
        self.store = store

    def frame(self, shows: str, sql: str, **parameters: object):  # type: ignore[no-untyped-def]
        return self.store.frame(sql, **parameters)


@pytest.fixture(scope="module")
def recording(recorded: Path) -> Samples:
    metrics = sorted({metric for rule in rules() for metric in rule.metrics})
    with Store.open(recorded) as store:
        return read(Plain(store), "telemetry-rollout", metrics)


@pytest.fixture(scope="module")
def recording_server(recording: Samples, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    data = tmp_path_factory.mktemp("recording") / "data"
    with prometheus(data, "--web.enable-remote-write-receiver") as url:
        send(url, recording)
        yield url


@pytest.mark.parametrize("rule", BY_EXPRESSION, ids=lambda rule: rule.title)
def test_a_rule_over_a_recorded_incident(
    rule: Rule, recording: Samples, recording_server: str
) -> None:
    assert rule.expression is not None
    expression = fitted(rule.expression, recording, jobs()).expression
    steps = moments(recording, 30)
    real = theirs(recording_server, expression, steps)
    assert_equal(ours(recording, expression, steps), real)
    found = evaluate(expression, recording, steps)
    assert spells(found, steps, rule.hold_ms) == intervals(real, steps, rule.hold_ms)
