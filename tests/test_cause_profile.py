"""The profile of a cause: planted workload, waves, shapes, interval, retries and fan-out."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubepostmortem.attribution.fan_out import fan_out, student_t
from kubepostmortem.postmortem import Postmortem
from kubepostmortem.questions.cause_profile import Profile, evidence, profile
from kubepostmortem.questions.question import Inquiry
from kubepostmortem.store import Store
from planted import Event, at, event

LETTERS = "bcdfghjklmnpqrstvwxz"
IDS = count(1)
USER = "system:serviceaccount:telemetry:otel-agent"
OTEL = {"user": USER, "agent": "otelcol-contrib/0.115.0 (linux/amd64)"}
BEGINS, ENDS = 200.0, 500.0  # of the overload
WAVES = {200.0: 2, 260.0: 4, 320.0: 6}
PAGE = "/api/v1/pods?limit=500&resourceVersion=0&fieldSelector=spec.nodeName%3D"


def suffix(number: int) -> str:
    return "".join(LETTERS[(number // 20**place) % 20] for place in range(5))


def leases(nodes: int) -> Iterator[Event]:
    """Kubelets that renew their leases until the log ends."""
    for number in range(nodes):
        for when in range(0, int(ENDS), 10):
            node = {"user": f"system:node:node-{number}", "ip": f"10.0.0.{number}"}
            yield event(
                f"r{next(IDS)}", received=when + number / nodes, verb="update", name="a", **node
            )


def client(number: int, named: bool = True) -> dict[str, Any]:
    pod = {"pod": f"otel-agent-{suffix(number)}", "node": f"node-{number}"} if named else {}
    return OTEL | {"ip": f"10.0.0.{number}"} | pod


def polls(
    number: int,
    begins: float,
    every: float = 15.0,
    jitter: float = 0.1,
    ends: float = ENDS,
    **fields: Any,
) -> Iterator[Event]:
    """A client that asks again after this many seconds, more or less."""
    chance, when = random.Random(number), begins
    while when < ends:
        yield event(f"r{next(IDS)}", received=when, took=0.05, **fields)
        when += every * chance.uniform(1 - jitter, 1 + jitter)


def rollout(named: bool = True, **fields: Any) -> list[Event]:
    """Agents on 12 of 15 nodes, in three waves."""
    begun = [begins for begins, clients in WAVES.items() for _ in range(clients)]
    events = list(leases(15))
    for number, begins in enumerate(begun):
        asked = {"uri": f"{PAGE}node-{number}"} | fields | client(number, named)
        events += polls(number, begins + 0.1 * number, **asked)
    return events


def overload(store: Store, begins: float = BEGINS, ends: float = ENDS) -> None:
    store.run("delete from incident")
    for name, span in {"baseline": (0.0, begins), "overload": (begins, ends)}.items():
        window = {"begins_at": at(span[0]), "ends_at": at(span[1])}
        told = {"cluster": "prod", "time_window": name, "chosen_by": "user", "reason": ""}
        store.insert("incident", [told | window])


def told(store: Store, component: str | None = "otel-agent", **pattern: Any) -> Profile:
    verb, resources = pattern.get("verb", "list"), pattern.get("resources", ())
    return profile(Inquiry(store), component, verb, resources)


@pytest.fixture
def planted(read, store: Store) -> Store:
    read(rollout())
    overload(store)
    return store


def test_it_names_users_and_workloads(planted: Store) -> None:
    row = {"cluster": "prod", "kind": "DaemonSet", "namespace": "telemetry", "name": "otel-agent"}
    planted.insert("workloads", [row | {"replicas": 15, "ready": 12, "ingest_id": 9}])

    found = told(planted)

    (user,) = found.users
    assert (user.username, user.share) == (USER, 1)
    assert found.service_account == "telemetry/otel-agent"
    (workload,) = found.workloads
    assert (workload.workload, workload.kind) == ("telemetry/otel-agent", "DaemonSet")
    assert (workload.replicas, workload.known_by) == (15, "pod name")
    assert (workload.pods, workload.nodes, workload.share) == (12, 12, 1)


def test_it_counts_nodes_pods_and_addresses(planted: Store) -> None:
    found = told(planted)

    assert (found.clients, found.pods, found.nodes, found.addresses) == (12, 12, 12, 12)
    assert (found.cluster_nodes, found.user_count) == (15, 1)
    assert found.requests == sum(shape.requests for shape in found.shapes) > 12 * 10


def test_without_pods_the_service_account_tells_the_workload(read, store: Store) -> None:
    read(rollout(named=False))
    overload(store)
    row = {"cluster": "prod", "kind": "DaemonSet", "namespace": "telemetry", "name": "collector"}
    account = {"service_account": "telemetry:otel-agent", "ingest_id": 9}
    store.insert("workloads", [row | account])

    found = told(store)

    (workload,) = found.workloads
    assert (workload.workload, workload.known_by) == ("telemetry/collector", "service account")
    assert (found.pods, found.clients, found.addresses) == (0, 12, 12)


@pytest.mark.parametrize(("named", "known_by"), [(True, "new pods"), (False, "first calls")])
def test_it_finds_the_waves(read, store: Store, named: bool, known_by: str) -> None:
    read(rollout(named))
    overload(store)

    found = told(store).waves

    assert [wave.clients for wave in found] == list(WAVES.values())
    assert {wave.known_by for wave in found} == {known_by}
    for wave, begins in zip(found, WAVES, strict=True):
        assert at(begins) <= wave.began_at <= wave.ended_at < at(begins + 2)
    assert [wave.share for wave in found] == pytest.approx([2 / 12, 4 / 12, 6 / 12])


def test_clients_that_were_there_before_are_no_wave(read, store: Store) -> None:
    residents = [
        one
        for number in range(12)
        for one in polls(number, 10.0 * number, 130, **client(number, named=False))
    ]
    read([*leases(15), *residents])
    overload(store)

    assert told(store).waves == ()


def test_stragglers_are_no_waves(read, store: Store) -> None:
    events = list(leases(15))
    for number, begins in enumerate([200.0] * 12 + [320.0, 440.0]):
        events += polls(number, begins + 0.1 * number, 5, **client(number, named=False))
    read(events)
    overload(store)

    assert [wave.clients for wave in told(store).waves] == [12]


def test_it_describes_the_shape_of_requests(planted: Store) -> None:
    listed = [
        {"cluster": "prod", "resource": "pods", "objects": 1200, "ingest_id": 9},
        {"cluster": "prod", "resource": "nodes", "objects": 15, "ingest_id": 9},
    ]
    planted.insert("listed_objects", listed)

    (shape,) = told(planted).shapes

    assert (shape.resource, shape.share, shape.cluster_wide) == ("pods", 1, 1)
    assert (shape.page_limit, shape.without_limit) == (500, 0)
    assert (shape.any_resource_version, shape.without_resource_version) == (1, 0)
    assert (shape.without_selector, shape.label_selector) == (0, None)
    assert str(shape.field_selector).startswith("spec.nodeName=node-")
    assert shape.objects == 1200


def test_objects_are_those_of_the_overload_and_of_the_group(read, store: Store) -> None:
    read(rollout(resource="deployments", group="apps", uri="/apis/apps/v1/deployments"))
    overload(store)
    store.run(
        "insert into metric_series by name select 1 as series_id, 'prod' as cluster, "
        "'apiserver_resource_objects' as metric, "
        "map {'resource': 'deployments', 'group': 'apps'} as labels, 9 as ingest_id"
    )
    samples = [(100, 5.0), (250, 40.0), (350, 60.0)]
    store.insert(
        "metric_samples",
        [{"series_id": 1, "sampled_at": at(when), "value": value} for when, value in samples],
    )

    (shape,) = told(store).shapes
    assert (shape.resource, shape.objects) == ("deployments", 50)


# Pace


def test_it_finds_the_interval_of_a_client(planted: Store) -> None:
    found = told(planted)

    (pace,) = found.paces
    assert found.interval_s == pace.interval_s == pytest.approx(15, rel=0.02)
    assert pace.interval_p10_s == pytest.approx(13.8, rel=0.03)
    assert pace.interval_p90_s == pytest.approx(16.2, rel=0.03)
    assert pace.variation == pytest.approx(0.1 / 3**0.5, rel=0.2)
    assert pace.jitter == pytest.approx(0.08, rel=0.2)
    assert (pace.periodic, pace.back_to_back) == (True, 0)


def test_clients_that_call_by_chance_are_not_periodic(read, store: Store) -> None:
    chance, events = random.Random(2), list(leases(3))
    for number in range(5):
        when = BEGINS
        while (when := when + chance.expovariate(1 / 5)) < ENDS:
            events.append(event(f"r{next(IDS)}", received=when, **client(number)))
    read(events)
    overload(store)

    (pace,) = told(store).paces
    assert pace.periodic is False
    assert pace.variation == pytest.approx(1, rel=0.2)


def test_slow_answers_do_not_hide_the_interval(read, store: Store) -> None:
    """Most requests take longer than the interval of 10 s; then the next comes at once."""
    events = list(leases(3))
    for number in range(4):
        when = BEGINS + number
        for took in [0.1, 25.0, 25.0] * 4:
            events.append(event(f"r{next(IDS)}", received=when, took=took, **client(number)))
            when += max(10.0, took + 0.01)
    read(events)
    overload(store, ends=BEGINS + 300)

    (pace,) = told(store).paces
    assert pace.interval_s == pytest.approx(10)
    assert 0.5 < pace.back_to_back < 0.75


def test_a_loop_without_pause_is_as_fast_as_its_answers(read, store: Store) -> None:
    times = [BEGINS + 2.0 * i for i in range(100)]
    loop = [event(f"r{next(IDS)}", received=t, took=1.99, **client(0)) for t in times]
    read([*leases(3), *loop])
    overload(store)

    (pace,) = told(store).paces
    assert (pace.interval_s, pace.back_to_back) == (pytest.approx(2), 1)


# Retries


@pytest.mark.parametrize(("pause", "obeyed"), [(1.05, 1), (0.25, 0)])
def test_it_tells_whether_retry_after_is_obeyed(
    read, store: Store, pause: float, obeyed: int
) -> None:
    events = list(leases(3))
    for number in range(6):
        for when in (210.0 + 15 * i + number for i in range(10)):
            for try_, code in enumerate((429, 429, 200)):
                received = when + try_ * (pause + 0.001)
                asked = {"received": received, "took": 0.001, "code": code}
                events.append(event(f"r{next(IDS)}", **asked, **client(number)))
    read(events)
    overload(store)

    found = told(store).retrying
    assert (found.requests, found.retries, found.unique_requests) == (180, 120, 60)
    assert (found.retry_factor, found.obeyed_share) == (3, obeyed)
    assert found.pause_after_429_s == pytest.approx(pause)


# Fan-out


def test_every_node_adds_the_same_load(planted: Store) -> None:
    law = told(planted).fan_out

    assert law is not None
    assert law.low < 1 < law.high
    assert law.exponent == pytest.approx(1, abs=0.1)
    assert law.per_client_rps == pytest.approx(1 / 15, rel=0.1)


def test_whom_the_server_refuses_does_not_bend_the_law(read, store: Store) -> None:
    """Once all 30 are there, every second one is refused for good, and calls once a minute."""
    events = list(leases(3))
    for number in range(30):
        begins = 200.0 if number < 4 else 260.0 if number < 14 else 320.0
        refused_at = 350.0 if number % 2 else ENDS
        events += polls(number, begins + 0.1 * number, ends=refused_at, **client(number))
        events += polls(number, refused_at, 60, code=429, **client(number))
    read(events)
    overload(store)

    law = told(store).fan_out
    assert law is not None
    assert law.exponent == pytest.approx(1, abs=0.1)
    assert law.per_client_rps == pytest.approx(1 / 15, rel=0.1)


def test_a_few_that_are_left_alone_do_not_speak_for_all(read, store: Store) -> None:
    events = list(leases(3))
    for number in range(30):
        begins, code = (200.0, 200) if number < 2 else (320.0, 429)
        events += polls(number, begins + 0.1 * number, jitter=0, code=code, **client(number))
    read(events)
    overload(store)

    assert told(store).fan_out is None


def test_a_single_client_shows_no_law(read, store: Store) -> None:
    read([*leases(3), *polls(0, BEGINS, 2, **client(0))])
    overload(store)

    assert told(store).fan_out is None


sizes = st.lists(st.integers(1, 5000), min_size=4, max_size=40).filter(
    lambda found: max(found) >= 1.5 * min(found)
)


@given(sizes, st.floats(-2, 3), st.floats(0.001, 100))
def test_an_exact_law_is_found(clients: list[int], exponent: float, rate: float) -> None:
    x = np.array(clients, float)

    law = fan_out(x, rate * x**exponent)

    assert law is not None
    assert law.exponent == pytest.approx(exponent, abs=1e-6)
    assert law.low - 1e-6 <= exponent <= law.high + 1e-6


@given(st.integers(1, 1000), st.lists(st.floats(0.1, 10), min_size=1, max_size=30))
def test_a_number_of_clients_that_stays_shows_no_law(clients: int, rates: list[float]) -> None:
    assert fan_out(np.full(len(rates), float(clients)), np.array(rates)) is None


def test_spans_without_load_are_left_out() -> None:
    clients, rates = np.array([0.0, 1, 2, 3, 4, 9]), np.array([7.0, 1, 2, 3, 4, 0])

    law = fan_out(clients, rates)

    assert law is not None and law.exponent == pytest.approx(1)
    assert law.per_client_rps == pytest.approx(1)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    random_numbers, clients = np.random.default_rng(1), np.linspace(10, 200, 12)
    inside = 0
    for _ in range(1000):
        law = fan_out(clients, 0.2 * clients * random_numbers.lognormal(0, 0.3, clients.size))
        inside += law is not None and law.low <= 1 <= law.high
    assert 0.92 < inside / 1000 < 0.98


@pytest.mark.parametrize(("freedom", "expected"), [(2, 4.303), (5, 2.571), (30, 2.042)])
def test_the_point_of_students_t_is_that_of_tables(freedom: int, expected: float) -> None:
    assert student_t(freedom) == pytest.approx(expected, rel=0.04)


# The whole


def test_examples_are_requests_to_look_up(read, store: Store) -> None:
    asked = client(0)
    answers = [(210, 0.1, 200), (220, 0.3, 200), (230, 9.0, 200), (240, 0.1, 429), (250, 1, 500)]
    events = [
        event(f"e-{when}", received=when, took=took, code=code, **asked)
        for when, took, code in answers
    ]
    read([*leases(3), *events])
    overload(store)

    found = {one.shows: one.audit_id for one in told(store).examples}
    assert found == {
        "first": "e-210",
        "typical": "e-220",
        "slowest": "e-230",
        "throttled": "e-240",
        "failed": "e-250",
    }


def test_a_wildcard_matches_every_component(planted: Store) -> None:
    everything = told(planted, None, verb=None)

    assert everything.requests == planted.value("select count(*) from overload_requests")
    assert everything.user_count == 16
    assert told(planted, None, verb="update").paces[0].interval_s == pytest.approx(10)


@pytest.mark.parametrize("component", ["nobody", "'; drop table requests --"])
def test_a_pattern_that_matches_nothing_makes_an_empty_profile(
    planted: Store, component: str
) -> None:
    found = told(planted, component)

    assert (found.requests, found.interval_s, found.service_account) == (0, None, None)
    assert not any([found.users, found.workloads, found.waves, found.shapes, found.examples])
    assert found.fan_out is None
    json.dumps(evidence(found))


def test_resources_narrow_the_profile(read, store: Store) -> None:
    events = [*rollout(), *polls(50, BEGINS, resource="nodes", **client(50))]
    read(events)
    overload(store)

    assert [s.resource for s in told(store, resources=["nodes"]).shapes] == ["nodes"]
    assert len(told(store).shapes) == 2


def test_evidence_is_plain_data(planted: Store) -> None:
    facts = json.loads(json.dumps(evidence(told(planted))))

    assert facts["calls"] == {"component": "otel-agent", "verb": "list", "resources": []}
    assert facts["interval_s"] == pytest.approx(15, rel=0.02)
    assert facts["waves"][0]["began_at"].endswith("Z")
    assert facts["retrying"]["retry_factor"] == 1
    assert facts["paces"][0]["periodic"] is True
    assert facts["fan_out"]["exponent"] == pytest.approx(1, abs=0.1)


def test_every_number_shows_its_statement(planted: Store) -> None:
    inquiry = Inquiry(planted)
    profile(inquiry, "otel-agent", "list", ["pods"])

    assert len(inquiry.statements) == len({one.shows for one in inquiry.statements}) >= 10
    for one in inquiry.statements:
        assert "otel-agent" not in one.sql
        planted.frame(one.sql, **one.parameters)


# The recorded incident


@pytest.fixture(scope="module")
def recorded_profile(postmortem: Postmortem) -> Profile:
    inquiry = Inquiry(postmortem.store)
    return profile(inquiry, "otel-agent", "list", ["pods", "nodes", "endpoints"])


def test_recorded_who_calls_and_how(recorded_profile: Profile) -> None:
    assert recorded_profile.service_account == "telemetry/otel-agent"
    assert recorded_profile.nodes == recorded_profile.pods == 102
    assert {shape.resource for shape in recorded_profile.shapes} == {"pods", "nodes", "endpoints"}
    for shape in recorded_profile.shapes:
        assert shape.without_limit == shape.without_resource_version == shape.without_selector == 1


def test_recorded_its_interval_and_its_obedience(recorded_profile: Profile) -> None:
    for pace in recorded_profile.paces:
        assert pace.interval_s == pytest.approx(15, rel=0.03)
        assert pace.periodic
    found = recorded_profile.retrying
    assert found.obeyed_share == 1
    assert found.retry_factor is not None and found.retry_factor > 3


def test_recorded_its_waves_and_its_law(recorded_profile: Profile) -> None:
    first, second = recorded_profile.waves
    begun = datetime(2026, 11, 24, 0, 56, 5)
    assert abs(first.began_at - begun) < timedelta(seconds=5)
    assert timedelta(seconds=30) < second.began_at - first.began_at < timedelta(seconds=50)
    assert (first.nodes, second.nodes) == (19, 83)
    law = recorded_profile.fan_out
    assert law is not None and law.exponent == pytest.approx(1, abs=0.1)
    assert law.per_client_rps == pytest.approx(3 / 15, rel=0.05)
