"""Small frames that the charts are drawn from: one for each, with holes and odd values."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl

BEGIN = datetime(2026, 3, 1, 12)


def moments(count: int, step_s: int = 10) -> list[datetime]:
    return [BEGIN + timedelta(seconds=step_s * i) for i in range(count)]


def load(components: list[str]) -> pl.DataFrame:
    rows = [
        {
            "interval_at": moment,
            "interval_s": 10,
            "component": component,
            "requests": 10 * rank + i,
            "demand_s": 0.5 * rank * i,
            "throttled": i,
            "failed": 1,
        }
        for i, moment in enumerate(moments(12))
        for rank, component in enumerate(components)
        if (i + rank) % 3  # not every component calls in every interval
    ]
    return pl.DataFrame(rows).with_columns(pl.col("requests").cast(pl.Decimal(38, 0)))


LOAD = load(["otel-agent", "kubelet", "coredns", "a", "b", "c", "d", "e"])
EXAMPLES: dict[str, pl.DataFrame] = {
    "dns_cliff": pl.DataFrame(
        {
            "lane": ["API requests/s"] * 4
            + ["cache hits"] * 4
            + ["lookups that failed"] * 2
            + ["event"] * 2,
            "server": [""] * 4 + ["otel-agent", "b"] * 3 + [None] * 2,
            "sampled_at": moments(4) * 2 + moments(2) + [BEGIN, moments(4)[-1]],
            "value": [50.0, None, 300.0, 250.0, 0.9, 0.8, float("nan"), 0.1, 0.0, 1.0, None, None],
            "label": [None] * 10 + ["overload begins", "otel-agent"],
        }
    ),
    "alert_lanes": pl.DataFrame(
        {
            "lane": ["KubeAPIDown", "KubeAPIDown", "Early", "waves of the rollout", "", ""],
            "kind": ["pending", "firing", "firing", "wave", "overload", "impact"],
            "began_at": [BEGIN + timedelta(seconds=s) for s in (10, 40, 20, 5, 0, 15)],
            "ended_at": [BEGIN + timedelta(seconds=s) for s in (40, 90, 30, 5, 60, 15)],
            "detail": ["", "job=apiserver", "otel-agent", "20 clients", "", "late"],
        }
    ),
    "growth_bars": pl.DataFrame(
        {
            "component": ["otel-agent", "kubelet"],
            "verb": ["list", "get"],
            "resources": ["pods and nodes", "leases"],
            "kind": ["primary", "induced"],
            "share_of_demand": [1.2, -0.01],
            "share_of_requests": [0.6, 0.3],
            "onset": [BEGIN, None],
            "why": ["the largest growth in demand", "retries"],
        }
    ),
    "growth_ledger": pl.DataFrame(
        {
            "kind": ["primary", "induced", "throttling", "latency", "drift", "decline"],
            "what": ["otel-agent", "many clients", "otel-agent", "", "", ""],
            "demand": [2.0, 0.1, 2.4, 0.0, float("nan"), -0.3],
            "low": [1.5, -0.1, 1.1, 0.0, -0.1, -0.4],
            "high": [2.8, 0.3, 3.7, 0.0, 0.1, -0.2],
            "share": [0.48, 0.02, 0.57, 0.0, None, -0.07],
            "why": ["is large", "are events", "answered 429", "longer", "noise", "less"],
        }
    ),
    "versions_over_time": pl.DataFrame(
        {
            "program": ["kube-apiserver", "kube-apiserver", "kubelet", "kubelet", "otel-agent"],
            "version": ["v1.33.9", "v1.34.2", "v1.33.9", "v1.29.1", "v1.30.0"],
            "instances": [3, 3, 200, 12, 1],
            "first_seen_at": [BEGIN, *moments(3)[1:], None, BEGIN],
            "last_seen_at": [*moments(2), moments(9)[-1], None, BEGIN],
            "too_far": [False, False, False, True, True],
        }
    ),
    "fan_out": pl.DataFrame(
        {
            "measure": ["Seats held"] * 7 + ["otel-agent"] * 2,
            "part": ["measured", "measured", "held back", *["law"] * 3, "limit", "measured", "law"],
            "cluster": ["a", "b", "c", None, None, None, None, "a", None],
            "nodes": [20, 80, 200, 20, 80, 200, 200, 20, 20],
            "load": [0.7, 13.7, 51.0, 0.7, 13.7, 97.0, 49.0, float("nan"), 0.0],
            "low": [None, None, None, 0.5, 11.0, 67.0, 49.0, None, float("nan")],
            "high": [None, None, None, 0.9, 17.0, 140.0, 74.0, None, None],
        }
    ),
    "seats_per_level": pl.DataFrame(
        {
            "priority_level": ["otel-agent"] * 6 + ["exempt"] * 3 + ["catch-all"] * 3,
            "instance": ["a", "b"] * 3 + [None] * 6,
            "sampled_at": [moment for moment in moments(3) for _ in "ab"] + moments(3) * 2,
            "seats_in_use": [1.0, 2.0, 3.0, None, 5.0, float("nan")] + [1.0] * 3 + [None] * 3,
            "limit_seats": [10.0] * 9 + [3.0] * 3,
            "requests_waiting": [0.0, 0.0, 70.0, 8.0, 0.0, 0.0] + [None] * 6,
            "refused_per_s": [None, None, 0.4, 1.2, 0.0, 0.0] + [None] * 6,
        }
    ),
    "flow_outcomes": pl.DataFrame(
        {
            "flow_schema": ["otel-agent", "otel-agent", "system-nodes", None],
            "priority_level": ["low", "low", "system", None],
            "request_kind": [None, None, None, "readOnly"],
            "outcome": ["executed", "time-out", "executed", "in-flight limit"],
            "requests": [30.0, 70.0, 500.0, 5.0],
        }
    ),
    "actual_against_what_if": pl.DataFrame(
        {
            "policy": ["as it was", "otel-agent", "as it was", "otel-agent"],
            "group": ["admins", "admins", "list", "list"],
            "low": [0.2, 0.8, None, 0.5],
            "high": [0.2, 1.0, None, float("nan")],
            "likely": [0.2, 0.95, 0.9, None],
            "requests": [1, 1, 12000, None],
        }
    ),
    "admin_attempts": pl.DataFrame(
        {
            "minute": [*moments(3, 60), BEGIN],
            "group": ["admins", "admins", "otel-agent", "otel-agent"],
            "outcome": ["answered", "refused (429)", "slow", "other"],
            "requests": [1, 2, 3, 4],
        }
    ),
    "load_over_time": LOAD,
    "requests_over_time": LOAD,
    "throttling": LOAD,
    "before_after": pl.DataFrame(
        {
            "component": ["otel-agent", "kubelet", "idle"],
            "verb": ["list", "get", "watch"],
            "baseline_rps": [0.0, 10.0, 0.0],
            "overload_rps": [65.0, 39.0, 0.0],
            "baseline_demand": [0.0, 0.016, 0.0],
            "overload_demand": [86.0, float("nan"), 0.0],
        }
    ),
    "footprint": pl.DataFrame(
        {
            "interval_at": [BEGIN, *moments(5)[2:]],
            "nodes": [1, 5, 9, 9],
            "requests_per_s": [0.5, 4.0, 9.0, 9.5],
        }
    ),
    "nodes_covered": pl.DataFrame(
        {
            "part": ["nodes that called"] * 3 + ["nodes with a new pod"] * 3,
            "interval_at": [*moments(3), *moments(3)],
            "nodes": [1, 8, 19, 3, 12, 20],
        }
    ),
    "request_shape": pl.DataFrame(
        {
            "component": ["otel-agent", "otel-agent", "kubelet", "kubelet"],
            "shape": ["list all, most recent", "watch", "get one object", "patch"],
            "requests": [90, 10, 70, 30],
        }
    ),
    "deploys_and_load": pl.concat(
        [
            pl.DataFrame({"happened_at": moments(9), "demand": [0.1 * i for i in range(9)]}),
            pl.DataFrame(
                {
                    "happened_at": [BEGIN, BEGIN + timedelta(seconds=33)],
                    "service": ["checkout", "otel-agent"],
                    "verdict": ["innocent", "cause"],
                }
            ),
        ],
        how="diagonal",
    ).with_columns(layer=pl.Series(["load"] * 9 + ["deploy"] * 2)),
    "component_availability": pl.DataFrame(
        {
            "component": ["otel-agent"] * 3 + ["kubelet"] * 4 + ["idle"],
            "interval_at": [*moments(3), *moments(4), BEGIN],
            "interval_s": [10] * 8,
            "requests": [5, 9, 1, 40, 40, 30, 1, 2],
            "answered_share": [1.0, 0.4, 0.0, 1.0, 0.93, 1.0, 1.0, 1.0],
            "p50_ms": [900.0, float("nan"), None, 3.0, 240.0, 12000.0, None, None],
        }
    ),
    "load_and_actions": pl.concat(
        [
            pl.DataFrame(
                {
                    "happened_at": moments(9),
                    "demand": [0.1 * i for i in range(9)],
                    "refused_per_s": [0.0] * 8 + [3.0],
                }
            ),
            pl.DataFrame(
                {
                    "happened_at": [*moments(3, 33), BEGIN + timedelta(seconds=70)],
                    "number": ["1", "2", "3", None],
                    "title": ["delete otel-agent", "otel-agent", "pods", "load back"],
                    "outcome": ["refused", "accepted", "otel-agent", "milestone"],
                }
            ),
        ],
        how="diagonal",
    ).with_columns(layer=pl.Series(["load"] * 9 + ["action"] * 4)),
    "timeline_lanes": pl.DataFrame(
        {
            "cluster": ["prod"] * 4,
            "happened_at": moments(4, 60),
            "kind": ["window", "deploy", "throttling", "window"],
            "title": ["overload begins", "otel-agent 1.0", "first 429", "overload ends"],
            "detail": ["found", None, None, None],
        }
    ),
}
