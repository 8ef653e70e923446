"""Load and its growth in the database: what the windows say, and what a request costs."""

from __future__ import annotations

import pytest

from conftest import Read
from kubepostmortem.incident import Window
from kubepostmortem.store import Store
from kubepostmortem.windows import set_window
from planted import Storm, at, request, telemetry_storm


@pytest.fixture
def stormed(store: Store, read: Read) -> Store:
    read(telemetry_storm(Storm(nodes=8, baseline_s=120, overload_s=120)))
    return store


def test_shares_of_all_cells_sum_to_one(stormed: Store) -> None:
    shares = stormed.frame(
        "select sum(share_of_demand), sum(share_of_requests), sum(growth_rps) from load_growth"
    ).row(0)
    assert shares[:2] == pytest.approx((1, 1))
    rates = [
        stormed.value(
            "select count(*) / max(epoch(ends_at - begins_at)) from requests join incident "
            "on received_at >= begins_at and received_at < ends_at and time_window = $window",
            window=window,
        )
        for window in ("baseline", "overload")
    ]
    assert shares[2] == pytest.approx(rates[1] - rates[0])


def test_load_between_tells_the_same_as_the_windows(stormed: Store) -> None:
    differing = stormed.frame(
        "from load_by_window as w join (from load_between("
        "(select begins_at from incident where time_window = 'overload'), "
        "(select ends_at from incident where time_window = 'overload'))) as b "
        "on b.component = w.component and b.verb = w.verb and b.scope = w.scope "
        "and b.resource is not distinct from w.resource "
        "and b.subresource is not distinct from w.subresource "
        "select w.component where abs(b.rps - overload_rps) > 1e-9 "
        "or abs(b.demand - overload_demand) > 1e-9"
    )
    assert differing.rows() == []


def test_a_wider_window_never_loses_requests(stormed: Store) -> None:
    counted = [
        stormed.value(
            "select sum(requests) from load_between($begins::timestamp, $ends::timestamp)",
            begins=at(120 - wider),
            ends=at(120 + wider),
        )
        for wider in (5, 10, 60, 120, 1000)
    ]
    assert counted == sorted(counted)
    assert counted[-1] == stormed.value("select count(*) from requests")


def test_a_watch_costs_its_start_and_has_no_latency(stormed: Store) -> None:
    watches = stormed.frame(
        "select demand_s, request_s from request_load where verb = 'watch' and latency_ms > 1e5"
    )
    assert watches.height > 0
    assert watches["demand_s"].to_list() == pytest.approx([0.001] * watches.height)
    assert watches["request_s"].sum() == 0


def test_what_a_request_costs_is_its_time_before_the_overload(stormed: Store) -> None:
    quiet, overall = stormed.frame(
        "select quiet_cost_ms, overall_cost_ms from unit_costs "
        "where component = 'kubelet' and verb = 'update'"
    ).row(0)
    assert 4 * 0.9 <= quiet <= 4 * 1.4
    assert stormed.value(
        "select max(unit_cost_ms) from unit_costs where component = 'kubelet' and verb = 'update'"
    ) == pytest.approx(quiet)
    assert overall < 4 * 1.4


@pytest.mark.parametrize("windowed", [False, True])
def test_a_cost_leaves_out_queues_refusals_and_what_was_slow(
    store: Store, read: Read, windowed: bool
) -> None:
    if windowed:
        set_window(store, "prod", "baseline", Window(at(0), at(1000)))
    waited = {"apiserver.latency.k8s.io/apf-queue-wait": "5s"}
    took = [(0.010, {}, 200)] * 3 + [(1.0, {}, 200)] * 10  # one in ten tells what it costs
    took += [(5.010, {"annotations": waited}, 200)] * 3 + [(0.001, {}, 429), (0.001, {}, 503)] * 20
    calls = [
        request(f"{i}", received=i, took=seconds, code=code, **fields)
        for i, (seconds, fields, code) in enumerate(took)
    ]
    read([event for call in calls for event in call])
    assert store.rows("select unit_cost_ms, answered from unit_costs") == [
        {"unit_cost_ms": pytest.approx(10), "answered": 16}
    ]
