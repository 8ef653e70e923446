"""The rollup: load counted once at ingest, what requests cost, and nodes that joined."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from polars.testing import assert_frame_equal
from typer.testing import CliRunner

from conftest import Read
from kubepostmortem.cli import app
from kubepostmortem.derived import derive
from kubepostmortem.incident import Window, iso
from kubepostmortem.ingest import ingest
from kubepostmortem.model import DERIVED
from kubepostmortem.store import Store
from kubepostmortem.windows import set_window, set_windows
from planted import Event, Storm, at, event, request, telemetry_storm, write_log

STORM = Storm(nodes=6, baseline_s=120, overload_s=120)
WINDOWS = {"baseline": Window(at(0), at(100)), "overload": Window(at(100), at(200))}


@pytest.fixture
def stormed(store: Store, read: Read) -> Store:
    read(telemetry_storm(STORM))
    return store


def calls(*times: float, took: float = 0.01, verb: str = "get", **fields: Any) -> list[Event]:
    """One request of a client at each of these times."""
    name = fields.get("resource", "pods") + fields.get("agent", "") + fields.get("user", "")
    return [
        event(f"{name}-{verb}-{when}", received=when, took=took, verb=verb, **fields)
        for when in times
    ]


def costs(store: Store, column: str = "unit_cost_ms") -> dict[str, float | None]:
    rows = store.rows(f"select resource, {column} as cost from unit_costs")
    return {row["resource"]: row["cost"] for row in rows}


def derived(store: Store) -> dict[str, list[str]]:
    return {table: sorted(map(str, store.frame(f"from {table}").rows())) for table in DERIVED}


# Counting


def test_the_rollup_counts_every_request_once(stormed: Store) -> None:
    counts = stormed.frame(
        "select count(*), count(*) filter (code = 429), sum(request_s)::decimal(18, 6) "
        "from request_load"
    )
    assert stormed.frame(
        "select sum(requests)::bigint, (sum(requests) filter (code_class = '429'))::bigint, "
        "sum(request_s)::decimal(18, 6) from load_rollup"
    ).row(0) == counts.row(0)


@pytest.mark.parametrize(
    ("code", "code_class"), [(200, "2xx"), (304, "3xx"), (404, "4xx"), (429, "429"), (504, "5xx")]
)
def test_a_code_has_a_class(store: Store, read: Read, code: int, code_class: str) -> None:
    read(calls(1, 2, code=code))
    assert store.rows("select code_class, requests from load_rollup") == [
        {"code_class": code_class, "requests": 1},
        {"code_class": code_class, "requests": 1},
    ]


def test_a_request_without_an_answer_is_open(store: Store, read: Read) -> None:
    read([event(stage="RequestReceived", received=1)])
    assert store.value("select code_class from load_rollup") == "open"


@pytest.mark.parametrize(("hours", "rollup_s"), [(0.05, 1), (0.1, 2), (0.3, 5), (2, 10), (900, 10)])
def test_long_logs_are_counted_in_ten_seconds_and_short_ones_finer(
    store: Store, read: Read, hours: float, rollup_s: int
) -> None:
    read(calls(0, 3600 * hours))
    interval_s, found = store.frame("select interval_s, rollup_s from intervals").row(0)
    assert found == rollup_s
    assert interval_s % rollup_s == 0


def test_queue_waits_are_summed(store: Store, read: Read) -> None:
    waited = {"apiserver.latency.k8s.io/apf-queue-wait": "600ms"}
    read(calls(1, 1.1, took=1, annotations=waited))
    found = store.frame("select sum(request_s), sum(queue_wait_s) from load_rollup").row(0)
    assert found == pytest.approx((2, 1.2))


def test_the_series_holds_the_load_of_both_windows(stormed: Store) -> None:
    summed = stormed.frame(
        "select sum(requests), sum(throttled), sum(requests * unit_cost_s), sum(request_s) "
        "from load_series join incident using (cluster) "
        "where time_window = 'overload' and interval_at >= begins_at and interval_at < ends_at"
    ).row(0)
    windows = stormed.frame(
        "select s * sum(overload_rps), s * sum(overload_throttled_rps), s * sum(overload_demand), "
        "s * sum(overload_request_seconds) from load_by_window cross join "
        "(select epoch(ends_at - begins_at) as s from incident where time_window = 'overload') "
        "group by s"
    ).row(0)
    assert summed == pytest.approx(windows)


# Costs


@pytest.mark.parametrize("seed", range(3))
def test_a_cost_is_the_tenth_percentile_to_five_percent(
    store: Store, read: Read, seed: int
) -> None:
    chance = Random(seed)
    took = [round(chance.lognormvariate(-4, 2), 6) for _ in range(2000)]
    read([e for n, seconds in enumerate(took) for e in calls(n / 20, took=seconds)])
    expected = 1e3 * np.quantile(took, 0.1, method="lower")
    assert costs(store, "overall_cost_ms")["pods"] == pytest.approx(expected, rel=0.05)


def test_what_is_only_seen_in_the_overload_costs_its_latency_without_the_congestion(
    store: Store, read: Read
) -> None:
    set_windows(store, "prod", WINDOWS)
    known = [
        e
        for resource in ("a", "b", "c", "d", "e")
        for begin, took in ((0, 0.010), (100, 0.040))
        for e in calls(*range(begin, begin + 100, 5), took=took, resource=resource)
    ]
    writes = [
        e
        for resource in ("v", "w", "x", "y", "z")
        for begin in (0, 100)
        for e in calls(*range(begin, begin + 100, 5), verb="update", resource=resource)
    ]
    newcomers = calls(*range(100, 200), took=0.080, resource="new")
    newcomers += calls(*range(100, 200), took=0.080, verb="update", resource="written")
    read([*known, *writes, *newcomers])
    assert store.rows("select verb_class, inflation from latency_inflation order by 1") == [
        {"verb_class": "read", "inflation": pytest.approx(4)},
        {"verb_class": "write", "inflation": 1},
    ]
    found = costs(store)
    assert (found["a"], found["new"], found["written"]) == pytest.approx((10, 20, 80))


def test_where_few_classes_tell_of_congestion_reads_and_writes_tell_together(
    store: Store, read: Read
) -> None:
    set_windows(store, "prod", WINDOWS)
    read([*calls(1, 2), *calls(101, 102, took=0.03), *calls(103, took=0.06, verb="update")])
    assert store.rows("from latency_inflation order by verb_class") == [
        {"cluster": "prod", "verb_class": v, "inflation": pytest.approx(3), "classes": 1}
        for v in ("read", "write")
    ]
    assert store.value("select unit_cost_ms from unit_costs where verb = 'update'") == (
        pytest.approx(20)
    )


def test_a_class_without_answers_costs_as_the_like_and_a_stream_nothing(
    store: Store, read: Read
) -> None:
    read(
        [
            *calls(1, 2, agent="old/1", took=0.02),
            *calls(3, agent="shed/1", code=429),
            *calls(4, subresource="log", took=900),
        ]
    )
    rows = store.rows(
        "select component, subresource, answered, unit_cost_ms from unit_costs order by all"
    )
    assert [(row["answered"], row["unit_cost_ms"]) for row in rows if row["subresource"]] == [
        (0, None)
    ]
    assert [row["unit_cost_ms"] for row in rows if not row["subresource"]] == (
        pytest.approx([20, 20])
    )
    assert store.value("select sum(demand_s) from request_load") == pytest.approx(0.06)


def test_costs_follow_the_windows(store: Store, read: Read) -> None:
    read([*calls(1, 2, took=0.01), *calls(101, 102, took=0.05)])
    set_window(store, "prod", "baseline", Window(at(0), at(50)))
    assert costs(store, "quiet_cost_ms")["pods"] == pytest.approx(10)
    set_window(store, "prod", "baseline", Window(at(100), at(110)))
    assert costs(store, "quiet_cost_ms")["pods"] == pytest.approx(50)


# Derived once, and again


def test_nothing_is_derived_again_where_no_request_is_new(
    stormed: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "roll_up", None)
    ingest(stormed, [tmp_path / "audit.log"], "prod")
    more = write_log(tmp_path / "more.log", calls(500))
    with pytest.raises(TypeError):
        ingest(stormed, [more], "prod")


def test_an_event_of_a_known_request_is_counted(store: Store, read: Read) -> None:
    received, completed = request(received=1, took=0.5, verb="get")
    read([received], "first.log")
    read([completed], "second.log")
    assert store.rows("select code_class, request_s from load_rollup") == [
        {"code_class": "2xx", "request_s": 0.5}
    ]


def test_deriving_again_changes_nothing(stormed: Store) -> None:
    before = derived(stormed)
    stormed.run("delete from intervals")
    derive(stormed, "prod")
    assert derived(stormed) == before


def test_a_cluster_is_derived_by_itself(stormed: Store, tmp_path: Path) -> None:
    before = stormed.frame("from load_growth")
    ingest(stormed, [write_log(tmp_path / "east.log", calls(1, 900))], "east")
    assert_frame_equal(stormed.frame("from load_growth"), before)
    assert stormed.value("select count(*) from intervals") == 2


@pytest.mark.parametrize("how", ["open", "create"])
def test_a_database_of_a_model_without_rollup_gets_one(stormed: Store, how: str) -> None:
    before, growth = derived(stormed), stormed.frame("from load_growth")
    for table in DERIVED:
        stormed.run(f'drop table "{table}"')
    stormed.run("create view intervals as select cluster, 15 as interval_s from clusters")
    stormed.run("create view unit_costs as select 1 as unit_cost_ms")
    stormed.run("update model set fingerprint = 'older'")
    stormed.close()
    with getattr(Store, how)(stormed.path) as again:
        assert derived(again) == before
        assert_frame_equal(again.frame("from load_growth"), growth)


# Windows and intervals


def test_a_window_set_by_hand_takes_in_whole_intervals(store: Store, read: Read) -> None:
    read(calls(0, 3600))
    became = set_windows(store, "prod", {"overload": Window(at(61.5), at(119))})
    assert became == {"overload": Window(at(60), at(120))}


def test_a_window_set_before_the_log_is_known_takes_in_whole_intervals(
    store: Store, read: Read
) -> None:
    assert set_windows(store, "prod", {"overload": Window(at(61), at(119))}) == {
        "overload": Window(at(61), at(119))
    }
    read(calls(0, 3600))
    assert store.frame("select begins_at, ends_at from incident").row(0) == (at(60), at(120))


def test_the_command_says_which_windows_moved(store: Store, read: Read) -> None:
    read(calls(0, 3600))
    store.close()
    words = ["window", "-d", str(store.path), "--baseline", f"{iso(at(0))}/{iso(at(60))}"]
    said = CliRunner().invoke(app, [*words, "--overload", f"{iso(at(61))}/{iso(at(119))}"])
    assert said.exit_code == 0
    assert f"overload is {Window(at(60), at(120))}" in said.stderr
    assert "baseline" not in said.stderr


def test_a_span_within_an_interval_is_the_whole_of_it(store: Store, read: Read) -> None:
    read(calls(0, 3600, 61, 69))
    assert store.frame(
        "select requests, rps from load_between($since::timestamp, $until::timestamp)",
        since=at(62),
        until=at(63),
    ).rows() == [(2, pytest.approx(0.2))]


# Nodes that join


def kubelet(node: str, *times: float, **fields: Any) -> list[Event]:
    return calls(*times, user=f"system:node:{node}", resource="leases", **fields)


def agent(node: str, *times: float, **fields: Any) -> list[Event]:
    user = "system:serviceaccount:telemetry:agent"
    return calls(*times, user=user, agent=f"agent-on-{node}/1", node=node, pod="agent-x", **fields)


def joined(store: Store) -> set[str]:
    return {row["node"] for row in store.rows("from new_nodes where joined_after_baseline")}


def test_a_node_whose_kubelet_comes_after_the_baseline_joined(store: Store, read: Read) -> None:
    set_windows(store, "prod", WINDOWS)
    read(
        [
            *kubelet("old", 1, 150),
            *kubelet("new", 120, 130),
            *kubelet("new", 125, code=429, verb="update"),
            *agent("new", 140),
            *agent("old", 141),
        ]
    )
    assert joined(store) == {"new"}
    assert store.frame(
        "select interval_at, resource, new_node_requests from load_series "
        "where new_node_requests > 0 order by all"
    ).rows() == [(at(120), "leases", 1), (at(130), "leases", 1), (at(140), "pods", 1)]
    assert store.value("select sum(requests) from load_series") == 7


def test_agents_that_begin_to_call_do_not_make_nodes_new(store: Store, read: Read) -> None:
    set_windows(store, "prod", WINDOWS)
    read([*agent("one", 1), *agent("two", 120), *agent("three", 130)])
    assert joined(store) == set()


def test_kubelets_that_begin_to_be_logged_all_at_once_are_not_new(store: Store, read: Read) -> None:
    set_windows(store, "prod", WINDOWS)
    read([*agent("one", 1), *kubelet("one", 120), *kubelet("two", 120)])
    assert joined(store) == set()


@pytest.mark.parametrize(("created", "expected"), [(-900, set()), (110, {"new"})])
def test_a_node_object_tells_when_the_node_joined(
    store: Store, read: Read, created: float, expected: set[str]
) -> None:
    set_windows(store, "prod", WINDOWS)
    node = {"cluster": "prod", "node": "new", "created_at": at(created), "ingest_id": 1}
    store.insert("nodes", [node])
    read([*kubelet("old", 1), *kubelet("new", 1000 - 880)])
    assert joined(store) == expected


def test_a_node_that_called_in_the_baseline_is_old(store: Store, read: Read) -> None:
    set_windows(store, "prod", WINDOWS)
    read([*kubelet("old", 1), *agent("quiet", 99), *kubelet("quiet", 120)])
    assert joined(store) == set()


def test_windows_end_where_the_log_does_not_matter(store: Store, read: Read) -> None:
    read(calls(0, 3600))
    set_window(store, "prod", "overload", Window(at(3590), at(3590) + timedelta(hours=1)))
    assert store.value("select sum(overload_rps) from load_by_window") == pytest.approx(1 / 3600)
