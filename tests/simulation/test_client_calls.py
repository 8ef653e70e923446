"""Calls of clients: retries put together, time executing, and what a call takes in quiet times."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kubepostmortem.ingest import ingest
from kubepostmortem.store import Store
from planted import request, write_log
from simulation.planted_calls import (
    ADMIN,
    CONTROLLER,
    LEASE,
    OTEL,
    WAITED,
    calls,
    even,
    windows,
)

LISTS = {"verb": "list", "resource": "pods"}
SHELL = "system:serviceaccount:ci:deployer"


def found(store: Store, columns: str, where: str = "true") -> list[tuple[Any, ...]]:
    """Rows in order of time, times as seconds after the beginning."""
    sql = f"select {columns} from client_calls where {where} order by received_at, audit_id"
    return [
        tuple(round(x, 6) if isinstance(x, float) else x for x in row)
        for row in store.frame(sql).rows()
    ]


def base(store: Store, component: str) -> float:
    """What its calls take in quiet times, milliseconds; the same for all of them."""
    (known,) = {ms for (ms,) in found(store, "base_ms", f"component = '{component}'")}
    return float(known)


def test_retries_are_part_of_a_call(read, store: Store) -> None:
    read([*calls((10, 429), (12, 429), (15, 200), (40, 200), **OTEL)])

    assert found(store, "second(received_at), code") == [(10, 429), (40, 200)]


def test_what_comes_at_the_usual_pace_is_a_call_of_its_own(read, store: Store) -> None:
    read([*calls(*even(0, 100, 10), (100, 504), (110, 200), **OTEL)])

    assert len(found(store, "code")) == 12


def test_waiting_is_no_service(read, store: Store) -> None:
    read([*calls((10, 200, 1.0), annotations={WAITED: "600ms"}, **OTEL), *calls((20, 200, 0.2))])

    assert found(store, "service_ms") == [(400.0,), (200.0,)]


def test_who_is_refused_was_not_served(read, store: Store) -> None:
    read([*calls((10, 429, 0.2), **OTEL)])

    assert found(store, "service_ms") == [(None,)]


def test_of_what_is_open_the_service_is_not_known(read, store: Store) -> None:
    read(request("open", received=10, stages=("RequestReceived",), **OTEL))

    assert found(store, "code, service_ms") == [(None, None)]


def test_a_watch_is_served_until_it_began(read, store: Store) -> None:
    stages = ("RequestReceived", "ResponseStarted", "ResponseComplete")
    watch = {"verb": "watch", "uri": "/api/v1/pods?watch=true&resourceVersion=7"}
    read(
        [
            *request("w1", received=10, took=60, stages=stages, **watch),
            *request("w2", received=20, stages=stages[:2], **watch),
            *request("w3", received=30, took=60, stages=stages[2:], **watch),
        ]
    )

    told = found(store, "service_ms, watch_ms, resource_version")
    assert told == [(1.0, 59_999.0, "1"), (1.0, None, "1"), (None, 60_000.0, "1")]


def test_a_class_known_from_quiet_times_is_judged_by_them(read, store: Store) -> None:
    windows(store)
    slow = [(t, 200, 0.5) for t, _ in even(100, 200, 2)]
    read([*calls(*even(0, 100, 2), *slow, **CONTROLLER, **LISTS)])

    assert base(store, "kube-controller-manager") == 10.0
    assert {ms for (ms,) in found(store, "service_ms")} == {10.0, 500.0}


def test_few_calls_of_quiet_times_establish_nothing(read, store: Store) -> None:
    windows(store)
    slow = [(t, 200, 0.5) for t, _ in even(100, 200, 2)]
    read([*calls(*even(0, 19, 1), *slow, **CONTROLLER, **LISTS)])

    assert base(store, "kube-controller-manager") > 10.0


def test_a_newcomer_costs_what_it_took_less_what_slowed_others_down(read, store: Store) -> None:
    """Others are ten times as slow as in quiet times when it takes 2 s: alone it takes 200 ms."""
    windows(store)
    slow = [(t, 200, 0.1) for t, _ in even(100, 300, 2)]
    new = [(t + 0.5, 200, 2.0) for t, _ in even(120, 300, 10)]
    read([*calls(*even(0, 100, 2), *slow, **CONTROLLER, **LISTS), *calls(*new, **OTEL)])

    assert base(store, "otel-agent") == pytest.approx(200, rel=0.01)


def test_a_newcomer_is_judged_by_when_it_was_least_congested(read, store: Store) -> None:
    windows(store)
    others = [(t, 200, 0.02 if t < 200 else 1.0) for t, _ in even(100, 300, 2)]
    new = [(t + 0.5, 200, 0.4 if t < 200 else 5.0) for t, _ in even(110, 300, 10)]
    read([*calls(*even(0, 100, 2), *others, **CONTROLLER, **LISTS), *calls(*new, **OTEL)])

    assert base(store, "otel-agent") == pytest.approx(200, rel=0.01)


def test_without_quiet_times_a_call_costs_what_it_took(read, store: Store) -> None:
    read([*calls(*[(t, 200, 0.3) for t, _ in even(0, 100, 5)], **OTEL)])

    assert base(store, "otel-agent") == pytest.approx(300)


def test_one_object_costs_no_more_than_others_pay_for_one(read, store: Store) -> None:
    windows(store)
    one = {"verb": "get", "namespace": "shop", "name": "a"}
    slow = [(t, 200, 3.0) for t, _ in even(150, 200, 2)]
    read([*calls(*even(0, 100, 2), **CONTROLLER, **one), *calls(*slow, **OTEL, **one)])

    assert base(store, "otel-agent") == 10.0


def test_what_was_never_answered_costs_something(read, store: Store) -> None:
    read([*calls((10, 429), **OTEL)])

    assert base(store, "otel-agent") == 1.0


@pytest.mark.parametrize(
    ("asks", "group"),
    [
        (LEASE, "kubelet leases"),
        ({"verb": "patch", "resource": "nodes", "subresource": "status"}, "node status"),
        (ADMIN, "admins"),
        (ADMIN | {"groups": ["system:masters"]}, "system:masters"),
        (CONTROLLER, "controllers"),
        (OTEL, "others"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_callers_have_their_group(read, store: Store, asks: Any, group: str) -> None:
    read([*calls((10, 200), **asks)])

    assert found(store, "caller_group") == [(group,)]


def test_who_is_not_authenticated_never_reaches_flow_control(read, store: Store) -> None:
    unknown, known = calls((10, 401), (20, 401))
    del unknown["user"]["username"]
    read([unknown, known])

    assert found(store, "second(received_at)") == [(20,)]


def test_who_acts_as_another_is_the_other_to_flow_control(read, store: Store) -> None:
    plain, acting = calls((10, 200), (20, 200), **OTEL, groups=["system:authenticated"])
    acting["impersonatedUser"] = {"username": SHELL}
    read([plain, acting])

    told = found(store, "caller, caller_groups")
    assert told == [(OTEL["user"], ["system:authenticated"]), (SHELL, None)]


def test_pods_are_clients_else_users_at_addresses(read, store: Store) -> None:
    nobody = [*calls((30, 200), user="x", ip=""), *calls((40, 200), user="y", ip="")]
    for one in nobody:
        del one["sourceIPs"]
    read([*calls((10, 200), **OTEL), *calls((20, 200), user="x", ip="10.0.0.9"), *nobody])

    clients = [client for (client,) in found(store, "client")]
    assert clients == ["otel-agent-x7k2p", "x@10.0.0.9", "x@", "y@"]


def test_clusters_do_not_mix(store: Store, tmp_path: Path) -> None:
    """The same requests, but in the other cluster they take ten times as long."""
    for cluster, took in (("here", 0.01), ("there", 0.1)):
        windows(store, cluster=cluster)
        quiet = [(t, 200, took) for t, _ in even(0, 100, 2)]
        loud = [(t, 200, took * 2) for t, _ in even(100, 200, 2)]
        new = [(t, 200, took * 20) for t, _ in even(130, 200, 5)]
        events = [*calls(*quiet, *loud, **CONTROLLER, **LISTS), *calls(*new, **OTEL)]
        ingest(store, [write_log(tmp_path / f"{cluster}.log", events)], cluster)

    told = store.frame(
        """select cluster, component, round(any_value(base_ms)), count(distinct base_ms)
        from client_calls group by all order by all"""
    ).rows()
    assert told == [
        ("here", "kube-controller-manager", 10, 1),
        ("here", "otel-agent", 100, 1),
        ("there", "kube-controller-manager", 100, 1),
        ("there", "otel-agent", 1000, 1),
    ]
