"""Blast radius: how each component fared, what stopped, what a store of its own would take off."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubepostmortem.assets import packaged
from kubepostmortem.charts import CHARTS
from kubepostmortem.questions import blast_radius
from kubepostmortem.questions.dependencies.jobs import depth, jobs
from kubepostmortem.questions.question import Answer, ask
from kubepostmortem.store import Store
from planted import Event, at, event
from planted_windows import plant_windows

IDS = count(1)
BEGINS, ENDS = 300.0, 600.0  # of the overload
KCM = "kube-controller-manager/v1.31.2 (linux/amd64) kubernetes/98b3519/{}"
MASTER = "system:kube-controller-manager"
LEASES = {"resource": "leases", "group": "coordination.k8s.io", "verb": "update"}


def calls(times: range | list[float], code: int = 200, took: float = 0.01, **fields: Any) -> Any:
    """Requests at these seconds, all answered alike."""
    return [
        event(f"q{next(IDS)}", received=float(t), took=took, code=code, **fields) for t in times
    ]


def usual() -> list[Event]:
    """Something that is answered from the begin to the end."""
    return calls(range(0, 700, 5), agent="calm/v1.0", user="system:serviceaccount:shop:calm")


def victim(**fields: Any) -> dict[str, Any]:
    return {"agent": "victim/v1.0", "user": "system:serviceaccount:shop:victim"} | fields


def heartbeats(node: str, *spans: tuple[int, int, int]) -> Iterator[Event]:
    """Renewals every 10 s of a node: begin, end and status of each span."""
    for begins, ends, code in spans:
        who = {"user": f"system:node:{node}", "namespace": "kube-node-lease", "name": node}
        yield from calls(range(begins, ends, 10), code, **LEASES, **who)


def leader(*spans: tuple[int, int, int]) -> Iterator[Event]:
    """Renewals every 2 s of kube-controller-manager."""
    for begins, ends, code in spans:
        who = {"user": MASTER, "agent": KCM.format("leader-election"), "namespace": "kube-system"}
        yield from calls(
            range(begins, ends, 2), code, **LEASES, **who, name="kube-controller-manager"
        )


def deletion(when: float, followed: float | None) -> Iterator[Event]:
    """A person deletes a DaemonSet; a controller deletes its pod, or not."""
    what = {"verb": "delete", "namespace": "telemetry"}
    yield from calls(
        [when],
        **what,
        resource="daemonsets",
        group="apps",
        name="otel-agent",
        user="alice@example.com",
        agent="kubectl/v1.33.2 (linux/amd64) kubernetes/98b3519",
    )
    if followed is not None:
        yield from calls(
            [followed],
            **what,
            resource="pods",
            name="otel-agent-bcdfg",
            user="system:serviceaccount:kube-system:generic-garbage-collector",
            agent=KCM.format("system:serviceaccount:kube-system:generic-garbage-collector"),
        )


def answered(store: Store) -> Answer:
    plant_windows(store, (0.0, BEGINS), (BEGINS, ENDS))
    return ask(blast_radius, store)


def fared(answer: Answer, component: str) -> dict[str, Any]:
    (found,) = [r for r in answer.evidence["components"] if r["component"] == component]
    return dict(found)


def job(answer: Answer, name: str) -> dict[str, Any]:
    (found,) = [row for row in answer.evidence["jobs"] if row["id"] == name]
    return dict(found)


def test_a_refused_component_is_cut_off_until_it_is_answered_again(read, store: Store) -> None:
    refused = calls(range(350, 590, 5), 429, **victim())
    read([*usual(), *calls(range(0, 350, 5), **victim()), *refused])
    read(calls(range(600, 700, 5), **victim()), "after.log")

    found = fared(answered(store), "victim")
    assert found["state"] == "cut off"
    assert found["answered_share"] == pytest.approx(10 / 58)
    assert 340 <= _seconds(found["failed_at"]) <= 350
    assert 586 <= _seconds(found["recovered_at"]) <= 600


def test_who_is_refused_until_the_log_ends_has_not_recovered(read, store: Store) -> None:
    read([*usual(), *calls(range(350, 700, 5), 503, **victim())])

    found = fared(answered(store), "victim")
    assert found["failed"] == 50
    assert found["recovered_at"] is None


def test_who_is_answered_late_is_slow_and_not_cut_off(read, store: Store) -> None:
    slow = calls(range(300, 600, 5), took=2.0, **victim())
    read([*usual(), *calls(range(0, 300, 5), **victim()), *slow])

    answer = answered(store)
    assert fared(answer, "victim")["state"] == "slow"
    assert "victim waited at least 200 times as long as usual" in answer.headline


def test_where_nobody_is_harmed_it_says_so(read, store: Store) -> None:
    read([*usual(), *calls(range(0, 700, 5), **victim())])

    answer = answered(store)
    assert "None of the 2 components" in answer.headline
    assert answer.evidence["jobs_by_status"]["stopped"] == 0


def test_a_watch_is_answered_when_it_begins(read, store: Store) -> None:
    open_watch = [
        event(f"w{t}", received=t, stage="ResponseStarted", verb="watch", **victim())
        for t in range(300, 600, 20)
    ]
    read([*usual(), *open_watch])

    found = fared(answered(store), "victim")
    assert (found["answered_share"], found["p50_ms"]) == (1.0, None)


def test_a_node_is_late_when_its_lease_runs_out(read, store: Store) -> None:
    late = heartbeats("late", (0, 350, 200), (350, 450, 429), (450, 700, 200))
    just_in_time = heartbeats("fast", (0, 350, 200), (350, 370, 429), (370, 700, 200))
    removed = heartbeats("removed", (0, 350, 200))
    read([*usual(), *late, *just_in_time, *removed])

    answer = answered(store)
    (nodes,) = answer.evidence["nodes_late"]
    assert (nodes["nodes"], nodes["of_nodes"], nodes["still_late"]) == (1, 3, 0)
    assert _seconds(nodes["first_at"]) == pytest.approx(380, abs=0.1)
    assert nodes["longest_s"] == pytest.approx(70, abs=0.1)
    assert job(answer, "node-heartbeats")["status"] == "stopped"
    assert "1 of 3 nodes missed heartbeats" in answer.headline


@pytest.mark.parametrize(("minor", "late"), [(31, 1), (32, 0)])
def test_newer_servers_wait_longer_for_a_node(read, store: Store, minor: int, late: int) -> None:
    agent = KCM.format("x").replace("1.31", f"1.{minor}")
    beats = heartbeats("node-1", (0, 300, 200), (300, 335, 429), (335, 700, 200))
    read([*usual(), *beats, *calls([1.0, 2.0], user=MASTER, agent=agent)])

    assert sum(row["nodes"] for row in answered(store).evidence["nodes_late"]) == late


def test_a_leader_that_lost_its_lease_stops_what_needs_it(read, store: Store) -> None:
    read([*usual(), *leader((0, 400, 200), (400, 410, 429))])

    answer = answered(store)
    (lost,) = answer.evidence["leaders_lost"]
    assert _seconds(lost["expires_at"]) == pytest.approx(398 + 15, abs=0.1)
    assert fared(answer, "kube-controller-manager")["state"] == "stopped"
    assert job(answer, "controllers")["status"] == "stopped"
    assert job(answer, "replacements")["why"].startswith("needs what stopped")
    assert job(answer, "eviction")["status"] == "not yet"


def test_a_change_that_nobody_carries_out_is_told(read, store: Store) -> None:
    read([*usual(), *deletion(400, followed=None)])

    answer = answered(store)
    assert "delete DaemonSet telemetry/otel-agent" in answer.headline
    assert job(answer, "replacements")["status"] == "stopped"


def test_a_change_that_a_controller_carries_out_is_not_stalled(read, store: Store) -> None:
    read([*usual(), *deletion(400, followed=402.0)])

    answer = answered(store)
    (change,) = answer.evidence["changes"]
    assert change["waited_s"] == pytest.approx(2, abs=0.1)
    assert change["followed_by"] == "generic-garbage-collector"
    assert "nobody carried out" not in answer.headline


def test_without_leases_in_the_log_it_does_not_say_that_nothing_was_lost(
    read, store: Store
) -> None:
    read(usual())

    answer = answered(store)
    assert "the log cannot show" in answer.headline
    assert any("leases" in lacking.evidence for lacking in answer.missing)


def test_what_runs_on_without_the_server_is_not_called_stopped(read, store: Store) -> None:
    proxy = {"agent": "kube-proxy/v1.33.2", "user": "system:serviceaccount:kube-system:kube-proxy"}
    read([*usual(), *calls(range(300, 600, 5), 429, **proxy)])

    answer = answered(store)
    assert fared(answer, "kube-proxy")["state"] == "cut off"
    assert job(answer, "service-proxy")["status"] == "ran on"


def test_stores_of_their_own_by_accepted_writes(read, store: Store) -> None:
    who = {"user": "system:node:node-1", "namespace": "shop"}
    events = calls(range(300, 600, 5), verb="create", resource="events", **who)
    refused = calls(range(301, 600, 5), 429, verb="create", resource="events", **who)
    custom = calls(range(300, 600, 10), verb="update", resource="rows", group="db.example", **who)
    read([*usual(), *events, *refused, *custom])
    read(calls(range(0, 300, 100), verb="create", resource="events", **who), "before.log")

    answer = answered(store)
    shares = {row["store"]: row["overload_share"] for row in answer.evidence["stores"]}
    assert shares == pytest.approx({"events": 2 / 3, "db.example": 1 / 3})


def test_the_server_s_own_count_of_etcd_goes_before_the_log(read, store: Store) -> None:
    write = {"verb": "create", "resource": "events", "user": "system:node:node-1"}
    read([*usual(), *calls(range(0, 700, 50), **write)])
    for resource, per_s in (("leases", 3.0), ("pods", 1.0)):
        store.run(
            """insert into metric_series
            select coalesce(max(series_id), 0) + 1, 'prod', 'etcd_requests_total',
                map {'operation': 'update', 'resource': $resource, 'instance': 'a'}, 1
            from metric_series""",
            resource=resource,
        )
        (number,) = store.frame("select max(series_id) as n from metric_series")["n"]
        samples = [
            {"series_id": number, "sampled_at": at(t), "value": per_s * t}
            for t in range(0, 600, 15)
        ]
        store.insert("metric_samples", samples)

    stores = answered(store).evidence["stores"]
    assert {row["counted_by"] for row in stores} == {"metric of the API server"}
    shares = {row["store"]: row["overload_share"] for row in stores}
    assert shares == pytest.approx({"leases": 0.75, "built-in resources": 0.25})


def test_hostile_names_stay_data(read, store: Store) -> None:
    name = "a\"'</script>\u202e\n{{x}}"
    read([*usual(), *calls(range(300, 600, 5), 429, agent=name, user=name)])

    answer = answered(store)
    (figure,) = answer.figures
    assert CHARTS[figure.chart](figure.rows).to_dict()
    assert answer.status == "answered"


def test_every_job_needs_jobs_that_are_there_and_kinds_that_are_known() -> None:
    entries = packaged("dependencies.toml")["job"]
    ids = [entry["id"] for entry in entries]
    kinds = packaged("components.toml")["kinds"]
    assert len(set(ids)) == len(ids)
    assert all(set(entry.get("needs", ())) <= set(ids) for entry in entries)
    assert all(set(entry.get("kinds", ())) <= set(kinds) for entry in entries)
    assert all(("after_s" in entry) == (entry["without"] != "runs on") for entry in entries)


@given(st.sampled_from(jobs()))
def test_a_job_is_deeper_than_what_it_needs(one: Any) -> None:
    known = {other.id: other for other in jobs()}
    assert all(known[need].depth < one.depth for need in one.needs)


def test_depth_counts_the_links_to_the_server() -> None:
    entries: dict[str, dict[str, Any]] = {
        "a": {"without": "stops"},
        "b": {"without": "stops", "needs": ["a"]},
        "c": {"without": "stops", "needs": ["a", "b"]},
        "d": {"without": "runs on"},
    }
    assert [depth(name, entries) for name in entries] == [1, 2, 3, 0]


def _seconds(moment: str) -> float:
    return (datetime.fromisoformat(moment).replace(tzinfo=None) - at(0)).total_seconds()
