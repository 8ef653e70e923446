"""Causes: grouped growth, ranked by demand, with victims told from culprits."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import Read
from kubepostmortem.attribution.causes import Cause, rank_causes
from kubepostmortem.incident import Window
from kubepostmortem.store import Store
from kubepostmortem.windows import set_window
from planted import Storm, at, request, telemetry_storm

few = settings(max_examples=25, derandomize=True, deadline=None)

Cell = dict[str, Any]
Onsets = dict[tuple[str, str], datetime]

START = at(0)


def cell(
    component: str,
    verb: str = "list",
    resource: str | None = "pods",
    *,
    rps: tuple[float, float] = (0.0, 10.0),
    cost: float = 0.1,
    throttled: float = 0.0,
) -> Cell:
    """A row of load_growth: requests per second in the two windows, seconds per request."""
    return {
        "component": component,
        "kind": "telemetry",
        "verb": verb,
        "resource": resource,
        "scope": "cluster",
        "baseline_rps": rps[0],
        "overload_rps": rps[1],
        "baseline_throttled_rps": 0.0,
        "overload_throttled_rps": throttled,
        "growth_rps": rps[1] - rps[0],
        "growth_demand": (rps[1] - rps[0]) * cost,
    }


def rank(*cells: Cell, onsets: Onsets | None = None, overload_at: datetime = START) -> list[Cause]:
    return rank_causes(pl.DataFrame(cells), onsets or {}, overload_at)


def later(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


CULPRIT = cell("otel-agent", rps=(0, 20), cost=0.5)


def test_demand_decides_not_the_number_of_requests() -> None:
    many = cell("kubelet", "update", "leases", rps=(10, 90), cost=0.002)
    first, second = rank(many, CULPRIT)
    assert (first.component, first.kind) == ("otel-agent", "primary")
    assert second.share_of_requests > first.share_of_requests
    assert (second.component, second.kind) == ("kubelet", "induced")


def test_cells_of_one_component_and_verb_are_one_cause() -> None:
    (only,) = rank(
        cell("otel-agent", resource="nodes", rps=(0, 10), cost=0.1),
        cell("otel-agent", resource="pods", rps=(0, 10), cost=0.5),
        cell("otel-agent", resource="secrets", rps=(0, 0.01), cost=0.01),
    )
    assert only.resources == ("pods", "nodes")
    assert only.growth_rps == pytest.approx(20.01)
    assert only.share == pytest.approx(1)
    assert only.newcomer


def test_a_resource_that_shrank_is_not_named() -> None:
    (only,) = rank(CULPRIT, cell("otel-agent", resource="nodes", rps=(5, 1), cost=0.5))
    assert only.resources == ("pods",)


def test_an_old_client_whose_growth_is_answered_429_is_induced() -> None:
    victim = cell("kubelet", "get", rps=(10, 60), cost=0.15, throttled=40)
    found = rank(CULPRIT, victim)
    assert [(c.component, c.kind) for c in found] == [
        ("otel-agent", "primary"),
        ("kubelet", "induced"),
    ]
    assert "429" in found[1].why


def test_a_culprit_that_is_shed_is_still_the_culprit() -> None:
    (first, *_) = rank(
        cell("hot-loop", "patch", rps=(5, 500), cost=0.01, throttled=400),
        cell("kubelet", "get", rps=(10, 30), cost=0.01, throttled=18),
    )
    assert (first.component, first.kind) == ("hot-loop", "primary")


def test_growth_that_begins_later_is_induced() -> None:
    after = cell("dns", rps=(0, 10), cost=0.5)
    onsets = {("otel-agent", "list"): later(2), ("dns", "list"): later(90)}
    first, second = rank(CULPRIT, after, onsets=onsets)
    assert (first.component, second.kind) == ("otel-agent", "induced")
    assert first.onset == later(2)


def test_growth_that_begins_together_and_is_as_large_is_primary_too() -> None:
    other = cell("cni", rps=(0, 15), cost=0.5)
    onsets = {("otel-agent", "list"): later(2), ("cni", "list"): later(12)}
    assert [c.kind for c in rank(CULPRIT, other, onsets=onsets)] == ["primary", "primary"]


def test_a_client_that_comes_into_the_overload_did_not_start_it() -> None:
    loop = cell("hot-loop", "patch", "nodes", rps=(1, 300), cost=0.01)
    slow = cell("latecomer", rps=(0, 20), cost=3.0)  # all of its requests met the overload
    onsets = {("hot-loop", "patch"): later(0), ("latecomer", "list"): later(120)}
    first, second = rank(loop, slow, onsets=onsets)
    assert (first.component, first.kind) == ("hot-loop", "primary")
    assert (second.component, second.kind) == ("latecomer", "induced")
    assert second.share > first.share


def test_a_small_early_client_does_not_replace_the_largest_cause() -> None:
    early = cell("checkout", "get", rps=(0, 2), cost=0.02)
    onsets = {("checkout", "get"): later(-60), ("otel-agent", "list"): later(40)}
    assert rank(early, CULPRIT, onsets=onsets)[0].component == "otel-agent"


def test_a_window_that_begins_too_early_does_not_acquit_the_culprit() -> None:
    onsets = {("otel-agent", "list"): later(0), ("dns", "list"): later(200)}
    others = cell("dns", rps=(0, 10), cost=0.4)
    found = rank(CULPRIT, others, onsets=onsets, overload_at=later(-900))
    assert found[0].component == "otel-agent"


def test_what_hardly_grew_is_left_out() -> None:
    found = rank(CULPRIT, cell("x", rps=(1, 1.1), cost=0.1), cell("y", rps=(9, 2), cost=0.1))
    assert [c.component for c in found] == ["otel-agent"]


def test_a_few_requests_before_still_make_a_newcomer() -> None:
    assert rank(cell("a", rps=(0.4, 10)))[0].newcomer
    assert not rank(cell("a", rps=(3, 10)))[0].newcomer


def test_nothing_that_grew_gives_no_cause() -> None:
    assert rank(cell("a", rps=(9, 3)), cell("b", rps=(2, 1))) == []


def test_requests_without_resource_have_no_resource_to_name() -> None:
    (only,) = rank(cell("dashboard", "get", None))
    assert only.resources == ()


cells = st.lists(
    st.builds(
        cell,
        component=st.sampled_from("abcdef"),
        verb=st.sampled_from(["list", "get"]),
        resource=st.sampled_from(["pods", "nodes"]),
        rps=st.tuples(st.floats(0, 50), st.floats(0, 500)),
        cost=st.floats(0.001, 2),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda c: (c["component"], c["verb"], c["resource"]),
)


@few
@given(cells=cells)
def test_renaming_components_renames_the_answer(cells: list[Cell]) -> None:
    renamed = [c | {"component": "zyxwvu"["abcdef".index(c["component"])]} for c in cells]
    names = [("zyxwvu"["abcdef".index(c.component)], c.verb, c.kind) for c in rank(*cells)]
    found = [(c.component, c.verb, c.kind) for c in rank(*renamed)]
    assert sorted(found) == sorted(names)
    demands = [c.growth_demand for c in rank(*cells)]
    assert demands == pytest.approx([c.growth_demand for c in rank(*renamed)])


@few
@given(cells=cells, factor=st.sampled_from([0.125, 64.0]))
def test_more_of_everything_leaves_shares_and_order(cells: list[Cell], factor: float) -> None:
    scaled = [{k: v * factor if isinstance(v, float) else v for k, v in c.items()} for c in cells]
    before, after = rank(*cells), rank(*scaled)
    assert [(c.component, c.verb, c.kind) for c in after] == [
        (c.component, c.verb, c.kind) for c in before
    ]
    assert [c.share for c in after] == pytest.approx([c.share for c in before])


@few
@given(cells=cells, order=st.randoms())
def test_the_order_of_the_rows_does_not_matter(cells: list[Cell], order: Any) -> None:
    shuffled = list(cells)
    order.shuffle(shuffled)
    before, after = rank(*cells), rank(*shuffled)
    assert [(c.component, c.verb, c.kind) for c in after] == [
        (c.component, c.verb, c.kind) for c in before
    ]


# In the database


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
