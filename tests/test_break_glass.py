"""Break-glass: how administrators fared, who was exempt, what flow control cannot save."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import accumulate, count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubepostmortem.flowcontrol.manifests import read_manifests
from kubepostmortem.questions import break_glass
from kubepostmortem.questions.question import Answer, ask
from kubepostmortem.store import Store
from planted import Event, at, event
from planted_windows import plant_windows

IDS = count(1)
KUBECTL = "kubectl/v1.33.2 (linux/amd64) kubernetes/98b3519"
MASTERS = ("system:masters", "system:authenticated")
SRE = ("oidc:sre", "system:authenticated")
OVERLOAD = (300.0, 600.0)

Try = tuple[float, int] | tuple[float, int, float]  # received, code, and took if not 0.1


def person(
    *tries: Try,
    user: str = "alice@example.com",
    groups: Sequence[str] = SRE,
    acts_as: str | None = None,
    **fields: Any,
) -> Iterator[Event]:
    """Requests of one person's client for one thing, and their answers."""
    asked = {"agent": KUBECTL, "resource": "nodes", "verb": "list"} | fields
    for received, code, *took in tries:
        length = took[0] if took else 0.1
        one = event(f"b{next(IDS)}", received=received, took=length, code=code, **asked)
        one["user"] = {"username": user, "groups": list(groups)}
        if acts_as:
            one["impersonatedUser"] = {"username": acts_as}
        yield one


def usual() -> list[Event]:
    """Something that happens in both windows, so that both can be compared."""
    return [event(f"u{next(IDS)}", received=5.0 * i, took=0.01) for i in range(120)]


def windows(store: Store) -> None:
    plant_windows(store, (0.0, OVERLOAD[0]), OVERLOAD)


def flag(store: Store, setting: str, value: str) -> None:
    store.insert(
        "apiserver_config",
        [{"cluster": "prod", "apiserver": "", "setting": setting, "value": value, "ingest_id": 1}],
    )


def series(
    store: Store, metric: str, *samples: tuple[float, float], job: str = "apiserver"
) -> None:
    """A series of one process, samples of seconds and values."""
    store.run(
        """insert into metric_series
        select coalesce(max(series_id), 0) + 1, 'prod', $metric,
            map {'job': $job, 'instance': 'a'}, 1
        from metric_series""",
        metric=metric,
        job=job,
    )
    (number,) = store.frame("select max(series_id) as n from metric_series")["n"]
    rows = [{"series_id": number, "sampled_at": at(t), "value": v} for t, v in samples]
    store.insert("metric_samples", rows)


def steps(before: float, now: float) -> list[tuple[float, float]]:
    """A counter that gains so much per second in the baseline, and so much in the overload."""
    gains = [0.0] + [10 * (before if t < OVERLOAD[0] else now) for t in range(10, 600, 10)]
    return list(zip(range(0, 600, 10), accumulate(gains), strict=True))


def answered(store: Store) -> Answer:
    windows(store)
    return ask(break_glass, store)


def told(answer: Answer, part: str, key: str, name: str) -> dict[str, Any]:
    (found,) = [row for row in answer.evidence[part] if row[key] == name]
    return dict(found)


def overload(answer: Answer, what: str) -> str:
    return str(told(answer, "not_saved", "what", what)["status"])


def state(answer: Answer, starts: str) -> str:
    (found,) = [r for r in answer.evidence["checklist"] if r["item"].startswith(starts)]
    return str(found["state"])


def test_without_an_administrator_it_is_open(read, store: Store) -> None:
    read(usual())

    answer = answered(store)
    assert (answer.status, answer.confidence) == ("open", "none")
    assert "no request of an administrator" in answer.headline


def test_retries_at_once_are_one_operation_and_later_ones_are_new(read, store: Store) -> None:
    read([*usual(), *person((400, 429), (401.2, 429), (402.5, 200), (420, 429), (435, 200))])

    group = told(answered(store), "overload", "group", "admins")
    assert (group["attempts"], group["refused"]) == (5, 3)
    assert (group["operations"], group["operations_in_time"]) == (3, 2)


def test_an_operation_that_is_answered_too_late_is_not_answered_in_time(read, store: Store) -> None:
    read([*usual(), *person((400, 504, 9), (409.5, 200, 2), (450, 200, 15))])

    group = told(answered(store), "overload", "group", "admins")
    assert (group["operations"], group["operations_answered"]) == (2, 2)
    assert (group["operations_in_time"], group["slow"], group["failed"]) == (0, 1, 1)


def test_a_lock_out_lasts_from_the_first_refusal_to_the_next_answer(read, store: Store) -> None:
    read([*usual(), *person((310, 200), *((320 + 10 * i, 429) for i in range(9)), (420, 200, 1))])

    answer = answered(store)
    group = told(answer, "overload", "group", "admins")
    assert group["longest_gap_s"] == pytest.approx(101)
    assert group["gap_began_at"] == at(320).isoformat() + "Z"
    assert "locked out for up to 1 min 41 s" in answer.headline


def test_time_in_which_nobody_asks_is_no_lock_out(read, store: Store) -> None:
    read([*usual(), *person((310, 200), (590, 200))])

    group = told(answered(store), "overload", "group", "admins")
    assert group["longest_gap_s"] == pytest.approx(0.1)


def test_a_watch_is_answered_when_it_begins(read, store: Store) -> None:
    started = list(person((400, 200, 0.01), verb="watch", stage="ResponseStarted"))
    ended = [e | {"auditID": started[0]["auditID"]} for e in person((400, 200, 90), verb="watch")]
    read([*usual(), *started, *ended])

    group = told(answered(store), "overload", "group", "admins")
    assert (group["answered"], group["operations_in_time"], group["slow"]) == (1, 1, 0)
    assert group["slowest_s"] == pytest.approx(0.01)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([0.5, 1.5, 3.5, 4.5, 20.0]), st.sampled_from([200, 404, 429, 500])
        ),
        min_size=1,
        max_size=12,
    )
)
def test_operations_are_runs_of_tries(read, store: Store, calls: list[tuple[float, int]]) -> None:
    starts = accumulate((pause for pause, _ in calls), initial=310.0)
    tries = [(t, code, 0.0) for t, (_, code) in zip(starts, calls, strict=False)]
    store.run("delete from requests")
    read(list(person(*tries)), f"{next(IDS)}.log")

    codes, pauses = [code for _, code in calls], [pause for pause, _ in calls]
    new = [
        before not in (429, 500) or pause > 4
        for before, pause in zip(codes[:-1], pauses[:-1], strict=True)
    ]
    rows = store.frame("select tries from admin_operations")
    assert (rows.height, rows["tries"].sum()) == (1 + sum(new), len(calls))


def test_only_members_of_masters_are_exempt(read, store: Store) -> None:
    kubeadm = ("kubeadm:cluster-admins", "system:authenticated")
    read(
        [
            *usual(),
            *person((400, 200), user="root", groups=MASTERS),
            *person((401, 200), user="kubernetes-admin", groups=kubeadm),
        ]
    )

    answer = answered(store)
    exempt = told(answer, "identities", "identity", "root")
    limited = told(answer, "identities", "identity", "kubernetes-admin")
    assert (exempt["exempt"], exempt["priority_level"]) == ("yes", "exempt")
    assert (limited["exempt"], limited["priority_level"]) == ("no", "global-default")
    assert "of the administrators only root was exempt" in answer.headline
    assert any("kubeadm:cluster-admins is not exempt" in line for line in answer.caveats)


def test_without_flow_control_masters_pass_full_pools_alone(read, store: Store) -> None:
    probe = {"resource": None, "verb": "get", "uri": "/readyz", "user": "system:anonymous"}
    read(
        [
            *usual(),
            *person((400, 200), user="root", groups=MASTERS),
            *person((401, 429)),
            event("probe", received=402, code=429, **probe),
        ]
    )
    flag(store, "enable-priority-and-fairness", "false")

    answer = answered(store)
    assert "API Priority and Fairness was off" in answer.headline
    assert told(answer, "identities", "identity", "root")["exempt"] == "when the pool is full"
    assert told(answer, "identities", "identity", "alice@example.com")["exempt"] == "no"
    (probes,) = answer.evidence["probes"]
    assert (probes["exempt"], probes["refused"]) == ("no", 1)
    assert state(answer, "API Priority and Fairness on") == "missing"


def test_who_impersonates_is_not_known_to_be_exempt(read, store: Store) -> None:
    read([*usual(), *person((400, 200), groups=MASTERS, acts_as="break-glass")])

    answer = answered(store)
    found = told(answer, "identities", "identity", "alice@example.com as break-glass")
    assert (found["exempt"], found["group"]) == ("unknown", "admins")
    assert any("--as-group=system:masters" in line for line in answer.caveats)


def test_administrators_without_a_schema_get_one_for_their_group(read, store: Store) -> None:
    hostile = 'a"b\n# x: {y}\u202e'
    read([*usual(), *person((400, 200), groups=(hostile, "system:authenticated"))])

    answer = answered(store)
    assert state(answer, "A FlowSchema and seats of their own") == "missing"
    (schema,) = read_manifests(answer.evidence["manifest"]).flow_schemas
    assert [subject.name for subject in schema.rules[0].subjects] == [hostile]
    json.dumps(dict(answer.evidence))


def test_without_metrics_nothing_of_the_processes_is_testable(read, store: Store) -> None:
    read([*usual(), *person((400, 200))])

    answer = answered(store)
    for what in ("CPU of the API server", "memory of the API server", "TLS handshakes", "etcd"):
        assert overload(answer, what) == "not testable"
    assert overload(answer, "connections, load balancer") == "not testable"
    assert any("metrics of" in one.evidence for one in answer.missing)


@pytest.mark.parametrize(
    ("used", "cores", "status"),
    [(0.2, 4, "not seen"), (2.0, 4, "strained"), (3.6, 4, "overloaded"), (3.6, None, "strained")],
)
def test_processor_time_counts_against_cores(
    read, store: Store, used: float, cores: float | None, status: str
) -> None:
    read([*usual(), *person((400, 200))])
    series(store, "process_cpu_seconds_total", *steps(0.2, used))
    if cores:
        series(store, "go_sched_gomaxprocs_threads", (10, cores), (400, cores))

    assert overload(answered(store), "CPU of the API server") == status


def test_the_processor_time_of_others_does_not_count(read, store: Store) -> None:
    read([*usual(), *person((400, 200))])
    series(store, "process_cpu_seconds_total", *steps(0.2, 9), job="node-exporter")

    assert overload(answered(store), "CPU of the API server") == "not testable"


def test_a_restart_is_an_overload_of_memory(read, store: Store) -> None:
    read([*usual(), *person((400, 200))])
    series(store, "process_resident_memory_bytes", (10, 1e9), (400, 1.1e9))
    series(store, "process_start_time_seconds", (10, 5), (310, 5), (400, 390))

    assert overload(answered(store), "memory of the API server") == "overloaded"


def test_more_memory_without_a_restart_is_a_strain(read, store: Store) -> None:
    read([*usual(), *person((400, 200))])
    series(store, "process_resident_memory_bytes", (10, 1e9), (400, 3e9))
    series(store, "process_start_time_seconds", (10, 5), (310, 5), (400, 5))

    assert overload(answered(store), "memory of the API server") == "strained"


def test_scrapes_that_fail_tell_of_connections(read, store: Store) -> None:
    read([*usual(), *person((400, 200))])
    series(store, "up", (10, 1), (310, 1), (320, 0), (330, 0))
    series(store, "apiserver_tls_handshake_errors_total", *steps(0.0, 2.0))

    answer = answered(store)
    assert overload(answer, "connections, load balancer") == "overloaded"
    assert overload(answer, "TLS handshakes") == "overloaded"
    assert state(answer, "A way to the API server") == "unknown"


@pytest.mark.parametrize(("disk", "status"), [(0.002, "strained"), (0.08, "overloaded")])
def test_etcd_is_told_from_an_api_server_that_is_slow(
    read, store: Store, disk: float, status: str
) -> None:
    read([*usual(), *person((400, 200))])
    for metric, usual_s, now_s, job in (
        ("etcd_request_duration_seconds", 0.01, 0.5, "apiserver"),
        ("etcd_disk_wal_fsync_duration_seconds", 0.002, disk, "etcd"),
    ):
        series(store, f"{metric}_count", *steps(10, 10), job=job)
        series(store, f"{metric}_sum", *steps(10 * usual_s, 10 * now_s), job=job)

    assert overload(answered(store), "etcd") == status


def test_what_masters_ask_for_tells_of_the_server(read, store: Store) -> None:
    tries = [(t, 200, 0.02 if t < 300 else 0.4) for t in range(10, 600, 30)]
    read([*usual(), *person(*tries, user="root", groups=MASTERS)])

    found = told(answered(store), "not_saved", "what", "requests that no limit holds back")
    assert found["status"] == "overloaded"
    assert found["numbers"]["factor"] == pytest.approx(20)


def agents() -> Iterator[Event]:
    """Calls of a workload that are nearly all of the overload."""
    account = "system:serviceaccount:obs:agent"
    for i in range(3000):
        yield event(
            f"a{next(IDS)}",
            received=OVERLOAD[0] + i / 10,
            took=0.2,
            user=account,
            agent="agent/1.0",
            pod="agent-x7k2p",
        )


def removals(*tries: Try) -> Iterator[Event]:
    place = {"group": "apps", "resource": "daemonsets", "namespace": "obs", "name": "agent"}
    return person(*tries, verb="delete", **place)


def test_a_removal_takes_from_the_first_try_until_one_is_accepted(read, store: Store) -> None:
    read([*usual(), *agents(), *removals((500, 429), (520, 504, 10), (540, 200, 2))])

    answer = answered(store)
    removed = answer.evidence["removal"]
    assert (removed["workload"], removed["tries"], removed["refused"]) == ("obs/agent", 3, 2)
    assert removed["took_s"] == pytest.approx(42)
    assert state(answer, "Removal of the workload") == "there"
    assert state(answer, "The right to remove") == "there"


def test_a_removal_that_is_forbidden_lacks_the_right(read, store: Store) -> None:
    read([*usual(), *agents(), *removals((500, 403), (520, 403))])

    answer = answered(store)
    assert answer.evidence["removal"]["took_s"] is None
    assert state(answer, "The right to remove") == "missing"
    assert state(answer, "Removal of the workload") == "missing"


def test_the_recorded_incident_locked_its_administrators_out(postmortem) -> None:
    answer = ask(break_glass, postmortem.store)

    admins = told(answer, "overload", "group", "admins")
    masters = told(answer, "overload", "group", "system:masters")
    assert (admins["share_in_time"] < 0.5, admins["refused"]) == (True, 35)
    assert (masters["share_in_time"] > 0.7, masters["refused"]) == (True, 0)
    assert told(answer, "identities", "identity", "oidc:alice@example.com")["exempt"] == "no"
    assert answer.evidence["removal"]["by"] == "oidc:alice@example.com"
    assert overload(answer, "connections, load balancer") == "overloaded"
