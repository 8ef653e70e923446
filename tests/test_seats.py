"""Seats of requests: the API server's own estimates, and views over planted requests."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubepostmortem.store import Store
from planted import Event, at, request

VECTORS = Path(__file__).parent / "data" / "work_estimation.json.gz"
OTEL = {
    "user": "system:serviceaccount:telemetry:otel-agent",
    "agent": "otelcol-contrib/0.115.0 (linux/amd64)",
}
IDS = count(1)
SERIES = count(1)

ESTIMATED = """
with vectors as (from read_json($path)),
cases as (select unnest(cases.call) as call, unnest(cases.minor) as minor,
    unnest(cases.by_size)::boolean as by_size, unnest(cases.watch_lists)::boolean as watch_lists,
    unnest(cases.consistent_lists)::boolean as consistent_lists,
    unnest(cases.stale)::boolean as stale, unnest(cases.objects) as objects,
    unnest(cases.object_bytes) as object_bytes, unnest(cases.level_seats) as level_seats,
    unnest(cases.watchers) as watchers, unnest(cases.initial_seats) as initial_seats,
    unnest(cases.final_seats) as final_seats, unnest(cases.linger_ns) as linger_ns
    from vectors),
calls as (select unnest(range(len(calls))) as call, unnest(calls, recursive := true) from vectors),
asked as (select call, url, verb,
    string_split(url, '?')[1] as path,
    query_parameter(url, 'fieldSelector') as field_selector,
    query_parameter(url, 'labelSelector') as label_selector
    from calls),
estimated as (select cases.*, url,
    read_seats(verb, query_parameter(url, 'limit'), query_parameter(url, 'continue') is not null,
        query_parameter(url, 'resourceVersion'), query_parameter(url, 'resourceVersionMatch'),
        field_selector is not null or label_selector is not null,
        names_one_object(field_selector),
        coalesce(query_parameter(url, 'sendInitialEvents') = 'true', false),
        objects, object_bytes, stale, minor, by_size, watch_lists, consistent_lists,
        least(if(level_seats > 0, level_seats, 100), if(by_size, 100, 10))) as initial,
    write_seats(verb, if(contains(path, '/serviceaccounts'), 'serviceaccounts', 'other'),
        if(ends_with(path, '/token'), 'token', null), watchers,
        least(if(level_seats > 0, level_seats, 10), 10)) as final,
    write_linger_ns(watchers, final) as linger
    from cases join asked using (call))
select count(*) as cases,
    count(*) filter (initial = initial_seats and final = final_seats and linger = linger_ns) as same
from estimated
"""


def asked(times: int = 1, verb: str = "list", **fields: Any) -> Iterator[Event]:
    """So many requests that ask alike, one a second."""
    for second in range(times):
        yield from request(f"r{next(IDS)}", received=second, verb=verb, **fields)


def control_plane(version: str) -> Iterator[Event]:
    """A request that tells the version of the cluster."""
    agent = f"kube-controller-manager/{version} (linux/amd64) kubernetes/98b3519"
    return asked(verb="get", agent=agent, user="system:kube-controller-manager", name="a")


def scraped(store: Store, metric: str, value: float, **labels: str) -> None:
    """One sample of a metric."""
    series = next(SERIES)
    labelled = [{"key": key, "value": text} for key, text in labels.items()]
    store.run(
        "insert into metric_series values"
        " ($series, 'prod', $metric, map_from_entries($labelled::struct(key text, value text)[]),"
        " 1)",
        series=series,
        metric=metric,
        labelled=labelled,
    )
    sample = {"series_id": series, "sampled_at": at(0), "value": float(value)}
    store.insert("metric_samples", [sample])


def stored(store: Store, resource: str, objects: int, size: float | None = None) -> None:
    """So many objects of a core resource are stored, of this average size in bytes."""
    labels = {"resource": resource, "group": ""}
    scraped(store, "apiserver_resource_objects", objects, **labels)
    if size is not None:
        bytes_ = objects * size if size >= 0 else -1
        scraped(store, "apiserver_resource_size_estimate_bytes", bytes_, **labels)


def cell(store: Store, component: str, verb: str = "list") -> dict[str, Any]:
    (found,) = store.rows(
        "from cell_seats where component = $component and verb = $verb",
        component=component,
        verb=verb,
    )
    return found


def test_every_estimate_of_the_api_server_comes_out_the_same(store: Store) -> None:
    """Of k8s.io/apiserver 0.31.0 and 0.36.2, all gates; see tests/data/work_estimation.json.gz."""
    (found,) = store.rows(ESTIMATED, path=str(VECTORS))

    assert found == {"cases": 15504, "same": 15504}


@pytest.fixture(scope="module")
def model(empty: Path) -> Iterator[Store]:
    with Store.open(empty) as opened:
        yield opened


@settings(max_examples=60, deadline=None)
@given(
    verb=st.sampled_from(["list", "watch", "get"]),
    page_limit=st.none() | st.integers(-1, 2000),
    continues=st.booleans(),
    version=st.sampled_from([None, "0", "7"]),
    match=st.sampled_from([None, "Exact", "NotOlderThan"]),
    selects=st.booleans(),
    named=st.booleans(),
    initial_events=st.booleans(),
    object_bytes=st.integers(1, 20_000),
    minor=st.integers(23, 40),
    by_size=st.booleans(),
)
def test_more_objects_never_take_fewer_seats(model: Store, **asked: Any) -> None:
    seats = model.frame(
        "select read_seats($verb, $page_limit::bigint, $continues, $version::varchar,"
        " $match::varchar, $selects, $named, $initial_events, objects, $object_bytes, false,"
        " $minor, $by_size, true, $minor >= 31, 100) as seats"
        " from (select n * n as objects from range(80) as steps(n)) order by objects",
        **asked,
    )["seats"].to_list()

    assert seats == sorted(seats)
    assert min(seats) >= 1
    assert max(seats) <= 100


def test_few_expensive_requests_are_told_from_many_cheap_ones(read, store: Store) -> None:
    lease = {"resource": "leases", "group": "coordination.k8s.io", "name": "node-1"}
    read([*control_plane("v1.31.4"), *asked(3, **OTEL), *asked(300, verb="update", **lease)])
    stored(store, "pods", 3000)

    expensive, cheap = cell(store, "otel-agent"), cell(store, "kubelet", "update")

    assert (expensive["seats"], expensive["objects_read"]) == (10, 3000)
    assert (cheap["seats"], cheap["objects_read"]) == (1, 1)
    assert expensive["seats_known"] and cheap["seats_known"]
    assert (expensive["objects_from"], expensive["minor_from"]) == ("metric", "user agent")


def test_without_a_number_of_objects_seats_are_unknown(read, store: Store) -> None:
    read([*asked(**OTEL), *asked(verb="get", name="a")])

    unknown, one = cell(store, "otel-agent"), cell(store, "kubelet", "get")

    assert (unknown["seats"], unknown["objects_read"]) == (1, None)
    assert not unknown["seats_known"]
    assert one["seats_known"]


def test_a_cell_is_known_where_all_its_resources_are(read, store: Store) -> None:
    read([*asked(**OTEL), *asked(group="metrics.k8s.io", **OTEL)])
    stored(store, "pods", 450)

    found = cell(store, "otel-agent")

    assert (found["seats"], found["seats_known"]) == ((5 + 1) / 2, False)


def test_exported_lists_tell_the_number_where_no_metric_does(read, store: Store) -> None:
    read(asked(**OTEL))
    listed = {"cluster": "prod", "resource": "pods", "objects": 450, "ingest_id": 1}
    store.insert("listed_objects", [listed])

    found = cell(store, "otel-agent")

    assert (found["seats"], found["objects_from"]) == (5, "kubectl")


@pytest.mark.parametrize(
    ("query", "seats", "objects"),
    [
        ("", 5, 450),
        ("?resourceVersion=0&limit=100", 5, 450),
        ("?limit=100&resourceVersion=7", 2, 100),
        ("?limit=100&continue=abc", 2, 100),
        ("?limit=0&continue=abc", 9, 450),
        ("?limit=100&continue=abc&labelSelector=app%3Dx", 6, 450),
        ("?fieldSelector=metadata.name%3Dpod-1", 1, 1),
        ("?resourceVersion=7&resourceVersionMatch=Exact", 9, 450),
    ],
)
def test_seats_and_objects_follow_from_how_a_list_asks(
    read, store: Store, query: str, seats: int, objects: int
) -> None:
    read([*control_plane("v1.33.0"), *asked(uri=f"/api/v1/pods{query}", **OTEL)])
    stored(store, "pods", 450)

    found = cell(store, "otel-agent")

    assert (found["seats"], found["objects_read"]) == (seats, objects)


@pytest.mark.parametrize(("version", "seats"), [("v1.30.9", 2), ("v1.31.0", 5)])
def test_older_releases_read_every_page_from_storage(
    read, store: Store, version: str, seats: int
) -> None:
    query = "limit=100&resourceVersion=7&resourceVersionMatch=NotOlderThan"
    read([*control_plane(version), *asked(uri=f"/api/v1/pods?{query}", **OTEL)])
    stored(store, "pods", 450)

    assert cell(store, "otel-agent")["seats"] == seats


def test_a_cell_is_the_mean_over_its_requests(read, store: Store) -> None:
    pages = asked(3, uri="/api/v1/pods?limit=100&continue=abc", **OTEL)
    read([*control_plane("v1.33.0"), *asked(1, **OTEL), *pages])
    stored(store, "pods", 1000)

    found = cell(store, "otel-agent")

    assert found["requests"] == 4
    assert found["seats"] == (10 + 3 * 2) / 4
    assert found["objects_read"] == (1000 + 3 * 100) / 4


@pytest.mark.parametrize(
    ("size", "seats", "known"), [(500.0, 3, True), (None, 10, False), (-1.0, 10, True)]
)
def test_newer_releases_weigh_bytes(
    read, store: Store, size: float | None, seats: int, known: bool
) -> None:
    read([*control_plane("v1.34.1"), *asked(**OTEL)])
    stored(store, "pods", 500, size)

    found = cell(store, "otel-agent")

    assert (found["seats"], found["size_known"]) == (seats, known)


@pytest.mark.parametrize(
    ("metric", "agent", "expected"),
    [
        ("v1.35.2", "v1.31.0", (35, "metric", True, 100)),
        ("v1.31.4", "v1.35.0", (31, "metric", False, 10)),
        (None, "v1.33.4-eks-1", (33, "user agent", False, 10)),
        (None, None, (33, "assumed", False, 10)),
    ],
)
def test_rules_follow_the_version(
    read, store: Store, metric: str | None, agent: str | None, expected: tuple[Any, ...]
) -> None:
    read(control_plane(agent) if agent else asked())
    if metric:
        scraped(store, "kubernetes_build_info", 1, git_version=metric)

    (found,) = store.frame(
        "select minor, minor_from, by_size, max_list_seats from seat_rules"
    ).rows()

    assert found == expected


@pytest.mark.parametrize("version", ["v1.30.1", "v1.31.1", "v1.32.1", "v1.33.1", "v1.34.1"])
def test_feature_gates_have_the_defaults_of_the_release(read, store: Store, version: str) -> None:
    read(control_plane(version))

    (found,) = store.frame("select consistent_lists, watch_lists, by_size from seat_rules").rows()

    minor = int(version[3:5])
    assert found == (minor >= 31, minor in (32, 34), minor >= 34)


def test_a_flag_overrides_the_default_of_a_gate(read, store: Store) -> None:
    read(control_plane("v1.34.1"))
    flag = "WatchList=false,SizeBasedListCostEstimate=false,Other=true"
    setting = {"cluster": "prod", "apiserver": "", "setting": "feature-gates", "value": flag}
    store.insert("apiserver_config", [setting | {"ingest_id": 1}])

    (found,) = store.frame("select watch_lists, by_size, consistent_lists from seat_rules").rows()

    assert found == (False, False, True)


def test_the_widest_priority_level_bounds_all_seats(read, store: Store) -> None:
    read([*control_plane("v1.33.0"), *asked(**OTEL)])
    stored(store, "pods", 3000)
    nominal = {"exempt": 500, "workload-low": 49, "system": 15, "catch-all": 90, "few-queues": 45}
    for level, seats in nominal.items():
        scraped(store, "apiserver_flowcontrol_nominal_limit_seats", seats, priority_level=level)
    level = {"cluster": "prod", "name": "few-queues", "type": "Limited", "limit_response": "Queue"}
    store.insert("priority_levels", [level | {"hand_size": 3, "ingest_id": 1}])

    levels = store.frame("select priority_level, max_seats from level_seats order by 1").rows()

    assert levels == [("few-queues", 7), ("system", 2), ("workload-low", 8)]
    assert cell(store, "otel-agent")["seats"] == 8


def test_watches_make_writes_wide(read, store: Store) -> None:
    """55 watches of all pods are told of every write; those of one node or namespace are not."""
    log = [*control_plane("v1.33.0"), *asked(verb="patch", name="a", namespace="b", took=100.0)]
    nodes = "/api/v1/pods?watch=true&fieldSelector=spec.nodeName%3Dn1"
    for uri, watches in {None: 55, nodes: 300, "/api/v1/namespaces/b/pods?watch=true": 40}.items():
        for _ in range(watches):
            place = {"namespace": "b"} if uri and "namespaces" in uri else {}
            log += asked(verb="watch", uri=uri, took=100.0, **place)
    read(log)

    (watchers,) = store.frame("select watchers from watchers where resource = 'pods'").row(0)
    write = cell(store, "kubelet", "patch")

    assert watchers == pytest.approx(55)
    assert write["seats"] == 6


def test_streams_take_no_seats(read, store: Store) -> None:
    read(asked(verb="create", subresource="exec", name="a", namespace="b"))

    assert cell(store, "kubelet", "create")["seats"] == 0
