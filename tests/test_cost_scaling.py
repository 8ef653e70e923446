"""Cost against cluster size: planted laws are found, from clusters and from waves of one."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubepostmortem.attribution.fan_out import FanOut
from kubepostmortem.charts import CHARTS
from kubepostmortem.ingest import ingest
from kubepostmortem.questions import cost_scaling
from kubepostmortem.questions.question import Answer, ask
from kubepostmortem.questions.scaling.laws import laws
from kubepostmortem.questions.scaling.limits import Limit
from kubepostmortem.questions.scaling.pace import Pace, paced
from kubepostmortem.questions.scaling.points import Mean, Point
from kubepostmortem.questions.scaling.power_law import Load, anchored, power_law, reaches
from kubepostmortem.questions.scaling.sizes import breaks, load_test, predictions, smallest
from kubepostmortem.store import Store
from planted import OTEL, Storm, at, telemetry_storm, write_log
from planted_windows import plant_windows

BASELINE_S, ENDS_S = 300.0, 540.0
CALM = Storm(congestion=1.0, shed=0.0, waves=(0.0, 30.0, 60.0))
EVERY_S = 8.0

Plant = Callable[..., None]


@pytest.fixture
def plant(store: Store, tmp_path: Path) -> Plant:
    """Ingest a cluster where one request costs seconds_per_node times the number of nodes."""

    def planted(
        nodes: int,
        name: str = "",
        seconds_per_node: float = 0.01,
        pods: int | None = None,
        **storm: Any,
    ) -> None:
        cluster = name or f"n{nodes}"
        culprit = replace(OTEL, every=EVERY_S, cost=seconds_per_node * nodes)
        events = telemetry_storm(replace(CALM, nodes=nodes, culprit=culprit, **storm))
        ingest(store, [write_log(tmp_path / cluster / "audit.log", events)], cluster)
        windows(store, cluster)
        stored = 4 * nodes if pods is None else pods
        if stored:
            rows = [{"cluster": cluster, "resource": "pods", "objects": stored, "ingest_id": 1}]
            store.insert("listed_objects", rows)

    return planted


def windows(store: Store, cluster: str) -> None:
    plant_windows(store, (0.0, BASELINE_S), (BASELINE_S, ENDS_S), (cluster,), others_stay=True)


def cpu(store: Store, cluster: str, before: float, during: float) -> None:
    """The API server's processor time: cores in the baseline, and in the overload."""
    store.run(
        """insert into metric_series
        select coalesce(max(series_id), 0) + 1, $cluster, 'process_cpu_seconds_total',
            map {'job': 'apiserver', 'instance': 'a'}, 1
        from metric_series""",
        cluster=cluster,
    )
    number = store.value("select max(series_id) from metric_series")
    times = range(0, int(ENDS_S), 5)
    gains = [5 * (before if t <= BASELINE_S else during) for t in times]
    rows = [
        {"series_id": number, "sampled_at": at(t), "value": v}
        for t, v in zip(times, accumulate(gains), strict=True)
    ]
    store.insert("metric_samples", rows)


def asked(store: Store) -> Answer:
    answer = ask(cost_scaling, store)
    json.dumps(answer.evidence, allow_nan=False)
    for figure in answer.figures:
        CHARTS[figure.chart](figure.rows)
    return answer


def exponent(answer: Answer, measure: str) -> float:
    return float(answer.evidence["laws"][measure]["exponent"])


def expected_at(answer: Answer, nodes: int) -> dict[str, Any]:
    (row,) = [r for r in answer.evidence["predictions"] if r["nodes"] == nodes]
    return dict(row)


def test_clusters_of_three_sizes_tell_the_laws(plant: Plant, store: Store) -> None:
    for nodes in (6, 12, 24):
        plant(nodes)
        cpu(store, f"n{nodes}", 0.1, 0.1 + 0.002 * nodes**2)

    answer = asked(store)
    assert answer.status == "answered"
    assert exponent(answer, "requests") == pytest.approx(1, abs=0.05)
    assert exponent(answer, "objects") == pytest.approx(2, abs=0.05)
    assert exponent(answer, "executing") == pytest.approx(2, abs=0.1)
    assert exponent(answer, "cpu") == pytest.approx(2, abs=0.05)
    assert "Requests of otel-agent grow as nodes^1.0" in answer.headline
    offered = expected_at(answer, 100)["requests"]["value"]
    assert offered == pytest.approx(3 * 100 / EVERY_S, rel=0.05)


def test_two_clusters_fix_exponents_and_leave_their_interval_to_scatter(
    plant: Plant, store: Store
) -> None:
    for nodes in (6, 24):
        plant(nodes)

    answer = asked(store)
    law = answer.evidence["laws"]["executing"]
    assert law["points"] == 2
    assert law["low"] < 2 < law["high"]
    assert any("Two sizes fix an exponent" in line for line in answer.caveats)
    assert any(one.evidence == "process_cpu_seconds_total" for one in answer.missing)


def test_what_clients_would_ask_counts_where_they_are_held_back(plant: Plant, store: Store) -> None:
    plant(6)
    plant(12)
    plant(24, shed=0.5, congestion=20.0)

    answer = asked(store)
    largest = answer.evidence["points"][-1]
    assert largest["held_back"]
    assert largest["pace"]["offered"] == pytest.approx(3 * 24 / EVERY_S, rel=0.1)
    assert exponent(answer, "requests") == pytest.approx(1, abs=0.1)
    assert answer.evidence["laws"]["executing"]["points"] == 2
    assert any("In n24 clients were held back" in line for line in answer.caveats)


def test_waves_of_one_cluster_tell_load_and_theory_the_cost(plant: Plant, store: Store) -> None:
    plant(24, seconds_per_node=0.002)

    answer = asked(store)
    assert (answer.status, answer.confidence) == ("answered", "low")
    assert answer.evidence["measured_by"] == "waves"
    assert exponent(answer, "requests") == pytest.approx(1, abs=0.2)
    assert answer.evidence["laws"]["seats"]["known_by"] == "theory"
    assert answer.evidence["expected_exponents"]["costs"] == 2
    assert "by theory" in answer.headline


def test_one_cluster_without_waves_is_open(plant: Plant, store: Store) -> None:
    plant(24, seconds_per_node=0.002, waves=(0.0,))

    answer = asked(store)
    assert (answer.status, answer.confidence) == ("open", "none")
    assert answer.missing[0].evidence == "a cluster of another size, or a rollout in waves"
    assert answer.evidence["points"][0]["nodes"] == 24


def test_clusters_of_one_size_are_no_law(plant: Plant, store: Store) -> None:
    plant(12, "a", seconds_per_node=0.002, waves=(0.0,))
    plant(12, "b", seconds_per_node=0.002, waves=(0.0,), seed=2)

    assert asked(store).status == "open"


def test_without_a_cause_it_is_open(plant: Plant, store: Store) -> None:
    plant(6, pods=0)
    store.run("delete from requests where component = 'otel-agent'")
    store.run("delete from load_rollup where component = 'otel-agent'")

    assert asked(store).status == "open"


def test_without_an_audit_log_it_is_open(store: Store) -> None:
    assert asked(store).status == "open"


def test_neither_metrics_nor_objects_are_needed(plant: Plant, store: Store) -> None:
    plant(6, pods=0)
    plant(24, pods=0)

    answer = asked(store)
    assert answer.status == "answered"
    assert exponent(answer, "requests") == pytest.approx(1, abs=0.05)
    assert answer.evidence["tests"][-1]["objects"] is None


def test_without_flow_control_requests_in_flight_are_the_limit(plant: Plant, store: Store) -> None:
    for nodes in (6, 24):
        plant(nodes)
    settings = {"enable-priority-and-fairness": "false", "max-requests-inflight": "40"}
    rows = [
        {"cluster": "n24", "apiserver": "", "setting": name, "value": value, "ingest_id": 1}
        for name, value in settings.items()
    ]
    store.insert("apiserver_config", rows)

    (limit,) = asked(store).evidence["limits"]
    assert (limit["measure"], limit["least"], limit["most"]) == ("executing", 40, 40)


def test_names_of_clusters_are_only_text(plant: Plant, store: Store) -> None:
    hostile = "<script>alert('x')</script>\n\u202e\""
    plant(6, hostile.replace("/", "-"))
    plant(24)

    answer = asked(store)
    assert answer.status == "answered"
    assert answer.evidence["points"][0]["cluster"].startswith("<script>")


def point(nodes: int, load: float, cost: float, **fields: Any) -> Point:
    """A cluster that asks so much, each request costing so many seconds and one seat."""
    pace = Pace(
        offered=load,
        offered_error=0.01,
        first_tries=load,
        refused_share=0.0,
        period_s=15.0,
        period_from=("a",),
        objects_read=load * 10 * nodes,
        demand=load * cost,
        demand_error=0.01,
        quiet_seats=load * cost,
        seats_known=True,
        lists=1.0,
    )
    held = Mean(load * cost, 0.02 * load * cost)
    known = {
        "cluster": f"n{nodes}",
        "nodes": nodes,
        "nodes_from": "metric",
        "covered": nodes,
        "clients": nodes,
        "servers": 1,
        "begins_at": at(0),
        "ends_at": at(0) + timedelta(seconds=100),
        "objects": 10 * nodes,
        "pace": pace,
        "recorded": Mean(load, 0.0),
        "request_seconds": held,
        "executing": held,
        "seats": held,
        "baseline_cores": Mean(0.1, 0.005),
        "cores": Mean(0.1 + load * cost, 0.005),
    }
    return Point(**(known | fields))


def kind(cluster: str, **fields: Any) -> dict[str, Any]:
    """One kind of call: 200 clients, 400 calls of the log in 100 s, a period of 15 s."""
    known = {
        "cluster": cluster,
        "component": "agent",
        "verb": "list",
        "resource": "pods",
        "subresource": None,
        "scope": "cluster",
        "clients": 200,
        "requests": 500,
        "first_tries": 400,
        "refused": 0,
        "rounds": 100,
        "gap_p25_s": 14.0,
        "gap_s": 15.0,
        "gap_p75_s": 16.0,
        "cost_error_ms": 1.0,
        "seats": 10.0,
        "objects_read": 3000.0,
        "seats_known": True,
        "unit_cost_ms": 100.0,
    }
    return known | fields


THERE = {"plateau_s": 100.0, "present": 200.0, "clients": 200}


def test_clients_that_poll_would_ask_by_their_clock_whatever_the_log_shows() -> None:
    pace = paced([kind("a")], {"a": THERE})["a"]
    assert pace.offered == pytest.approx(200 / 15)
    assert (pace.first_tries, pace.period_from) == (4.0, ("a",))
    assert pace.quiet_seats == pytest.approx(200 / 15 * 0.1 * 10)
    assert pace.objects_read == pytest.approx(200 / 15 * 3000)


def test_of_clients_that_come_and_go_only_those_present_ask() -> None:
    pace = paced([kind("a")], {"a": THERE | {"present": 50.0}})["a"]
    assert pace.offered == pytest.approx(50 / 15)


def test_the_clock_is_taken_from_a_cluster_where_answers_were_prompt() -> None:
    few = {"rounds": 0, "gap_s": None, "gap_p25_s": None, "gap_p75_s": None}
    pace = paced([kind("a", **few), kind("b")], {"a": THERE, "b": THERE})["a"]
    assert pace.offered == pytest.approx(200 / 15)
    assert pace.period_from == ("b",)


def test_clients_without_a_clock_offer_what_the_log_shows_without_retries() -> None:
    pace = paced([kind("a", gap_p25_s=2.0, gap_p75_s=40.0)], {"a": THERE})["a"]
    assert (pace.offered, pace.period_s) == (4.0, None)


SEATS = Limit("seats", "seats", 49.0, 74.0, "objects")


def test_a_limit_is_met_where_the_law_says() -> None:
    known = laws([point(n, 0.2 * n, 0.002 * n) for n in (20, 80)], None, False)
    assert known is not None
    (met,) = breaks(known, [SEATS])
    assert met.first == pytest.approx(math.sqrt(49 / 0.0004), rel=0.01)
    assert met.last == pytest.approx(math.sqrt(74 / 0.0004), rel=0.01)
    assert met.low < met.first < met.last < (met.high or 0)
    tenth = smallest(known, SEATS)
    assert tenth is not None
    assert tenth.value == pytest.approx(math.sqrt(4.9 / 0.0004), rel=0.01)
    full = load_test(known, [point(80, 16, 0.16)], 350)
    assert (full.nodes, full.objects) == (350, 3500)
    assert full.requests_per_s == pytest.approx(70, rel=0.01)


def test_predictions_tell_what_is_sure() -> None:
    found = [point(n, 0.2 * n, 0.002 * n) for n in (20, 80)]
    known = laws(found, None, False)
    assert known is not None
    told = {
        row["nodes"]: (row["saturated"], row["sure"]) for row in predictions(known, [SEATS], found)
    }
    assert told[80] == (False, True)
    assert told[500] == (True, True)
    held = [*found, replace(point(200, 40, 0.4), pace=replace(found[0].pace, refused_share=0.5))]
    told = {
        row["nodes"]: (row["saturated"], row["sure"]) for row in predictions(known, [SEATS], held)
    }
    assert told[200] == (True, True)


def test_a_cluster_whose_clients_could_not_start_counts_as_if_they_had() -> None:
    pace = replace(point(200, 20, 0.4).pace, refused_share=0.5)
    found = [point(20, 4, 0.04), point(200, 20, 0.4, pace=pace, covered=100)]
    known = laws(found, None, False)
    assert known is not None
    assert known.by_nodes["requests"].exponent == pytest.approx(1, abs=0.01)


def test_held_back_waves_leave_the_clock() -> None:
    pace = replace(point(200, 40, 0.4).pace, refused_share=0.5)
    found = [point(200, 40, 0.4, pace=pace)]
    known = laws(found, None, True)
    assert known is not None
    assert known.measured_by == "clock"
    assert known.by_nodes["seats"].at(200).value == pytest.approx(16)
    assert known.by_nodes["seats"].at(100).value == pytest.approx(4)
    assert laws(found, None, False) is None
    assert laws([replace(found[0], pace=replace(pace, period_s=None))], None, True) is None


def test_waves_anchor_the_law_at_the_cluster() -> None:
    known = laws([point(80, 16, 0.16)], FanOut(1.02, 0.9, 1.14, 0.99, 0.2), True)
    assert known is not None
    requests = known.by_nodes["requests"]
    assert (requests.low, requests.high) == pytest.approx((0.9, 1.14))
    assert requests.at(80).value == pytest.approx(16)


SIZES = st.lists(st.integers(5, 5000), min_size=3, max_size=8, unique=True).filter(
    lambda sizes: max(sizes) >= 2 * min(sizes)
)
EXPONENTS = st.floats(0.2, 3)
NOISE = st.lists(st.floats(-0.1, 0.1), min_size=8, max_size=8)


@given(SIZES, EXPONENTS, st.floats(1e-4, 1e3))
def test_a_planted_law_is_found(sizes: list[int], exponent: float, factor: float) -> None:
    law = power_law([Load(n, factor * n**exponent) for n in sizes])
    assert law is not None
    assert law.exponent == pytest.approx(exponent, abs=1e-6)
    assert law.at(77).value == pytest.approx(factor * 77**exponent, rel=1e-4)


@given(EXPONENTS, NOISE)
def test_noise_stays_within_the_interval_that_errors_tell(
    exponent: float, noise: list[float]
) -> None:
    sizes = [10 * 2**i for i in range(8)]
    loads = [Load(n, n**exponent * math.exp(e), 0.1) for n, e in zip(sizes, noise, strict=True)]
    law = power_law(loads)
    assert law is not None
    assert law.low <= exponent <= law.high


@given(SIZES, EXPONENTS, NOISE, st.floats(1e-3, 1e3), st.floats(0.1, 10), st.randoms())
def test_units_and_order_do_not_matter(
    sizes: list[int], exponent: float, noise: list[float], unit: float, scale: float, chance: Any
) -> None:
    loads = [Load(n, n**exponent * math.exp(e), 0.05) for n, e in zip(sizes, noise, strict=False)]
    scaled = [Load(one.size * scale, one.load * unit, one.error) for one in loads]
    chance.shuffle(scaled)
    law, other = power_law(loads), power_law(scaled)
    assert law is not None
    assert other is not None
    assert other.exponent == pytest.approx(law.exponent, abs=1e-6)
    assert other.high - other.low == pytest.approx(law.high - law.low, abs=1e-6)
    assert other.at(50 * scale).value == pytest.approx(unit * law.at(50).value, rel=1e-5)


@given(st.floats(0.8, 3), st.floats(10, 1000), st.floats(0, 0.4))
def test_a_limit_is_reached_within_its_interval(
    exponent: float, limit: float, margin: float
) -> None:
    law = anchored(Load(10, 1.0, 0.05), exponent, margin)
    size = reaches([law], limit)
    assert size is not None
    assert size.low <= size.value <= (size.high or math.inf)
    assert law.at(size.value).value == pytest.approx(limit, rel=0.02)


def test_one_size_or_sizes_alike_are_no_law() -> None:
    assert power_law([]) is None
    assert power_law([Load(10, 1.0)]) is None
    assert power_law([Load(10, 1.0), Load(12, 2.0)]) is None
    assert power_law([Load(10, 1.0), Load(100, 0.0)]) is None
    assert reaches([], 1.0) is None
