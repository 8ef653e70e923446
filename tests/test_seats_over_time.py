"""Seats, requests in flight and refusals over time: planted metrics of API servers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import polars as pl
import pytest

from kubepostmortem.store import Store
from planted import at

FLOW = "apiserver_flowcontrol_"
EXECUTING, LIMIT, NOMINAL, WAITING, REJECTED, DISPATCHED = (
    FLOW + name
    for name in (
        "current_executing_seats",
        "current_limit_seats",
        "nominal_limit_seats",
        "current_inqueue_requests",
        "rejected_requests_total",
        "dispatched_requests_total",
    )
)
TERMINATIONS, DROPPED = "apiserver_request_terminations_total", "apiserver_dropped_requests_total"
LEVEL = {"instance": "a", "priority_level": "low"}
FLOWING = LEVEL | {"flow_schema": "x"}

Samples = Sequence[tuple[float, float]]  # seconds after the beginning, value


def plant(
    store: Store, metric: str, labels: dict[str, str], samples: Samples, file: int = 1
) -> None:
    """Add one series, as of a file of this number."""
    number = store.value("select count(*) from metric_series")
    store.run(
        "insert into metric_series values ($n, 'prod', $metric, map($names, $values), $file)",
        n=number,
        metric=metric,
        names=list(labels),
        values=list(labels.values()),
        file=file,
    )
    rows = [(number, at(second), float(value)) for second, value in samples]
    frame = pl.DataFrame(rows, ["series_id", "sampled_at", "value"], orient="row")
    store.insert("metric_samples", frame)


def plant_windows(store: Store) -> None:
    """A baseline of the first minute and an overload of the second."""
    for name, begin in (("baseline", 0), ("overload", 60)):
        store.run(
            "insert into incident values ('prod', $name, $begins, $ends, 'user', '')",
            name=name,
            begins=at(begin),
            ends=at(begin + 60),
        )


def set_flag(store: Store, name: str, value: str) -> None:
    store.run(
        "insert into apiserver_config values ('prod', '', $name, $value, 1)", name=name, value=value
    )


def column(store: Store, name: str, view: str = "seats_over_time") -> list[float | None]:
    """One column of a view, in the order of time."""
    return store.frame(f"from {view} order by sampled_at")[name].to_list()


def refused(store: Store) -> dict[tuple[str, ...], float]:
    """Requests by window, flow schema or kind of request, and outcome."""
    rows = store.frame(
        "select time_window, coalesce(flow_schema, request_kind), outcome, requests from refusals"
    )
    return {row[:3]: row[3] for row in rows.iter_rows()}


def test_gauges_of_a_level_stand_beside_one_another(store):
    plant(store, EXECUTING, FLOWING, [(0, 3), (15, 4)])
    plant(store, EXECUTING, FLOWING | {"flow_schema": "y"}, [(0, 5), (15, 0)])
    plant(store, LIMIT, LEVEL, [(0, 10), (15, 12)])
    plant(store, NOMINAL, LEVEL, [(0, 9), (15, 9)])
    plant(store, WAITING, FLOWING, [(0, 0), (15, 7)])

    assert column(store, "seats_in_use") == [8, 4]
    assert column(store, "limit_seats") == [10, 12]
    assert column(store, "nominal_seats") == [9, 9]
    assert column(store, "requests_waiting") == [0, 7]


def test_what_is_not_in_the_evidence_is_null(store):
    plant(store, EXECUTING, FLOWING, [(0, 3)])

    (row,) = store.frame("from seats_over_time").rows(named=True)

    assert {name for name, value in row.items() if value is None} == {
        "limit_seats",
        "nominal_seats",
        "requests_waiting",
        "refused_per_s",
        "dispatched_per_s",
        "mean_wait_s",
    }


def test_counters_become_rates_over_flow_schemas_and_reasons(store):
    for schema, reason, total in (("x", "queue-full", 15), ("y", "time-out", 30)):
        labels = LEVEL | {"flow_schema": schema, "reason": reason}
        plant(store, REJECTED, labels, [(0, 100), (15, 100 + total)])

    assert column(store, "refused_per_s") == [None, 3]


def test_the_mean_wait_is_that_of_requests_since_the_sample_before(store):
    wait = FLOW + "request_wait_duration_seconds"
    plant(store, wait + "_sum", FLOWING, [(0, 900), (15, 906), (30, 906)])
    plant(store, wait + "_count", FLOWING, [(0, 10), (15, 14), (30, 14)])

    assert column(store, "mean_wait_s") == [None, 1.5, None]


def test_the_first_refusals_count_from_zero(store):
    plant(store, DISPATCHED, FLOWING, [(0, 500), (15, 600), (30, 700)])
    plant(store, REJECTED, FLOWING | {"reason": "time-out"}, [(15, 45), (30, 45)])

    assert column(store, "refused_per_s") == [None, 3, 0]
    assert column(store, "dispatched_per_s")[1:] == [100 / 15, 100 / 15]


@pytest.mark.parametrize("begin", [0, 17], ids=["with the first scrape", "between scrapes"])
def test_a_counter_that_may_be_old_does_not_count_from_zero(store, begin):
    plant(store, DISPATCHED, FLOWING, [(0, 500), (15, 600), (30, 700)])
    plant(store, REJECTED, FLOWING | {"reason": "time-out"}, [(begin, 9000), (begin + 15, 9015)])

    gains = store.frame("select gained from flow_control_samples where reason = 'time-out'")
    assert sorted(gains["gained"]) == [0, 15]


def test_a_restarted_server_counts_from_zero_and_a_stale_mark_is_no_value(store):
    plant(store, DISPATCHED, FLOWING, [(0, 500), (15, math.nan), (30, 30)])

    assert column(store, "dispatched_per_s")[1:] == [1]


def test_a_sum_that_a_server_leaves_gains_nothing_then(store):
    labels = {"priority_level": "low", "flow_schema": "x"}
    plant(store, DISPATCHED, labels, [(0, 900), (15, 600), (30, 630)])

    assert column(store, "dispatched_per_s")[1:] == [0, 2]


@pytest.mark.parametrize(
    "other",
    [
        (FLOW + "request_concurrency_in_use", FLOWING),
        (EXECUTING, FLOWING | {"prometheus_replica": "b"}),
        (EXECUTING, {"priority_level": "low"}),
    ],
    ids=["old name", "second Prometheus", "sum"],
)
def test_what_is_exported_twice_counts_once(store, other):
    plant(store, EXECUTING, FLOWING, [(0, 3), (15, 4)])
    plant(store, *other, [(0, 3)], file=2)

    assert column(store, "seats_in_use") == [3, 4]


def test_servers_that_are_labelled_differently_all_count(store):
    plant(store, EXECUTING, FLOWING, [(0, 3)])
    plant(store, EXECUTING, FLOWING | {"instance": "b", "zone": "1"}, [(0, 4)])

    assert sorted(column(store, "seats_in_use")) == [3, 4]


def test_old_names_are_read(store):
    plant(store, FLOW + "request_concurrency_in_use", FLOWING, [(0, 3)])
    plant(store, FLOW + "request_concurrency_limit", LEVEL, [(0, 20)])

    assert (column(store, "seats_in_use"), column(store, "nominal_seats")) == ([3], [20])


def test_servers_stay_apart_and_other_programs_are_left_out(store):
    for name, job in (("a", "apiserver"), ("b", "apiserver"), ("c", "kube-scheduler")):
        plant(store, EXECUTING, FLOWING | {"instance": name, "job": job}, [(0, 3)])

    assert store.frame("select instance from seats_over_time order by all")[
        "instance"
    ].to_list() == [
        "a",
        "b",
    ]


def test_requests_in_flight_have_the_limit_of_their_kind(store):
    set_flag(store, "max-requests-inflight", "80")
    set_flag(store, "max-mutating-requests-inflight", "0")
    for kind, number in (("readOnly", 7), ("mutating", 3)):
        labels = {"instance": "a", "request_kind": kind}
        plant(store, "apiserver_current_inflight_requests", labels, [(0, number)])
        plant(store, "apiserver_current_inqueue_requests", labels, [(0, number - 1)])

    rows = store.frame(
        "select request_kind, in_flight, queued, in_flight_limit from in_flight_over_time "
        "order by all"
    )
    assert rows.rows() == [("mutating", 3, 2, None), ("readOnly", 7, 6, 80)]


def test_refusals_are_counted_by_window_schema_and_reason(store):
    plant_windows(store)
    plant(store, DISPATCHED, FLOWING, [(0, 10), (60, 70), (90, 80), (120, 100)])
    plant(store, REJECTED, FLOWING | {"reason": "queue-full"}, [(90, 40), (120, 50)])
    plant(store, REJECTED, FLOWING | {"reason": "time-out"}, [(0, 5), (60, 6), (150, 99)])

    assert refused(store) == {
        ("baseline", "x", "executed"): 60,
        ("baseline", "x", "time-out"): 1,
        ("overload", "x", "executed"): 30,
        ("overload", "x", "queue-full"): 50,
    }


def plant_429(store: Store, metric: str = TERMINATIONS) -> None:
    """Ten reads that the server refused and four writes, in the overload; a time-out of 504."""
    for verb, kind, code, total in (
        ("LIST", "readOnly", "429", 10),
        ("PUT", "mutating", "429", 4),
        ("GET", "readOnly", "504", 7),
    ):
        labels = {"instance": "a", "verb": verb, "code": code}
        if metric == DROPPED:
            labels = {"instance": "a", "request_kind": kind}
        if metric == TERMINATIONS or code == "429":
            plant(store, metric, labels, [(0, 3), (60, 3), (120, 3 + total)])


@pytest.mark.parametrize("metric", [TERMINATIONS, DROPPED])
@pytest.mark.parametrize(
    ("flag", "value", "outcome"),
    [
        ("enable-priority-and-fairness", "false", "in-flight limit"),
        ("feature-gates", "A=true,APIPriorityAndFairness=false", "in-flight limit"),
        ("v", "2", "reason not known"),
    ],
)
def test_without_fairness_the_in_flight_limit_refuses(store, metric, flag, value, outcome):
    plant_windows(store)
    set_flag(store, flag, value)
    plant_429(store, metric)

    assert refused(store) == {
        ("overload", "readOnly", outcome): 10,
        ("overload", "mutating", outcome): 4,
    }


def test_what_was_not_refused_was_executed(store):
    plant_windows(store)
    set_flag(store, "enable-priority-and-fairness", "false")
    plant_429(store)
    for verb, code in (("LIST", "200"), ("LIST", "429"), ("WATCH", "200")):
        labels = {"instance": "a", "verb": verb, "code": code}
        plant(store, "apiserver_request_total", labels, [(0, 0), (60, 0), (120, 25)])

    assert refused(store)["overload", "readOnly", "executed"] == 25


def test_what_fairness_refused_is_not_counted_twice(store):
    plant_windows(store)
    plant(store, DISPATCHED, FLOWING, [(60, 10), (120, 30)])
    plant_429(store)

    assert refused(store) == {("overload", "x", "executed"): 20}
