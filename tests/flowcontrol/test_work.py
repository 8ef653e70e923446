"""How many seats a request takes: planted cases, and the macros of the store agree."""

from __future__ import annotations

import random
from dataclasses import asdict, replace
from pathlib import Path

import polars as pl
import pytest

from kubepostmortem.flowcontrol.classify import Call
from kubepostmortem.flowcontrol.list_options import ListOptions, list_options
from kubepostmortem.flowcontrol.watches import Watched, counted_under, told_of
from kubepostmortem.flowcontrol.work import Stored, Width, WidthRules, width, width_rules
from kubepostmortem.store import Store

LIST = Call("list", resource="pods")
PATCH = Call("patch", resource="pods", namespace="a", name="p")

MACROS = """
select case_number,
    read_seats(verb, "limit", continues, nullif(resource_version, ''), nullif(version_match, ''),
        selects, named, sends_initial_events, objects, object_bytes, stale, minor, by_size,
        watch_lists, consistent_lists,
        least(if(level_seats > 0, level_seats, 100), if(by_size, 100, 10)))::integer as initial,
    write_seats(verb, 'pods', null, watchers, least(if(level_seats > 0, level_seats, 10), 10))
        as final,
    write_linger_ns(watchers, final)::bigint as linger
from read_parquet($path) order by case_number
"""


def seats(query: str, stored: Stored | None, minor: int = 31, level_seats: int = 0) -> int:
    options = list_options(f"/api/v1/pods{query}")
    return width(width_rules(minor), LIST, options, stored, 0, level_seats).initial_seats


def written(call: Call, watchers: int, minor: int = 31, level_seats: int = 0) -> Width:
    return width(width_rules(minor), call, ListOptions(), None, watchers, level_seats)


@pytest.mark.parametrize(
    ("minor", "query", "expected"),
    [
        (31, "", 5),
        (30, "", 9),
        (31, "?limit=100", 5),
        (31, "?limit=100&resourceVersion=7", 2),
        (31, "?limit=100&continue=x&labelSelector=a", 6),
        (31, "?limit=many", 10),
        (31, "?timeoutSeconds=long", 10),
        (34, "", 10),
        (34, "?continue=x", 23),
        (34, "?continue=x&limit=100", 5),
        (34, "?continue=x&limit=100&labelSelector=a", 12),
        (34, "?limit=many", 100),
        (22, "", 1),
    ],
)
def test_lists_are_estimated_by_release(minor: int, query: str, expected: int) -> None:
    """450 objects of 5,000 bytes each."""
    assert seats(query, Stored(450, 5_000), minor) == expected


@pytest.mark.parametrize(
    ("stored", "by_number", "by_size"),
    [
        (None, 1, 1),
        (Stored(0), 1, 1),
        (Stored(450, 0), 9, 100),
        (Stored(1, 1, stale=True), 10, 100),
    ],
)
def test_what_the_server_does_not_know(stored, by_number: int, by_size: int) -> None:
    query = "?continue=x"

    assert (seats(query, stored, 31), seats(query, stored, 34)) == (by_number, by_size)


def test_a_list_of_one_name_takes_one_seat() -> None:
    one = replace(LIST, name="p")

    found = width(width_rules(31), one, ListOptions(), Stored(10_000), 0, 0)

    assert found == Width(1)


@pytest.mark.parametrize(("minor", "level_seats", "expected"), [(31, 3, 3), (27, 3, 9), (31, 0, 9)])
def test_levels_bound_lists_since_1_28(minor: int, level_seats: int, expected: int) -> None:
    assert seats("?continue=x", Stored(450), minor, level_seats) == expected


@pytest.mark.parametrize(
    ("minor", "query", "expected"),
    [
        (31, "sendInitialEvents=true", 1),
        (32, "sendInitialEvents=true", 5),
        (32, "", 1),
        (33, "sendInitialEvents=true", 1),
        (36, "", 10),
        (36, "resourceVersion=0", 10),
        (36, "resourceVersion=7", 1),
        (36, "resourceVersion=7&sendInitialEvents=1", 10),
        (36, "resourceVersion=7&sendInitialEvents=False", 1),
    ],
)
def test_watches_that_start_with_a_list(minor: int, query: str, expected: int) -> None:
    options = list_options(f"/api/v1/pods?watch=true&{query}")
    watch = replace(LIST, verb="watch")

    found = width(width_rules(minor), watch, options, Stored(450, 5_000), 0, 0)

    assert found.initial_seats == expected


@pytest.mark.parametrize(
    ("watchers", "expected"),
    [
        (9, Width()),
        (10, Width(1, 1, 5_000_000)),
        (11, Width(1, 2, 5_000_000)),
        (250, Width(1, 10, 12_500_000)),
    ],
)
def test_writes_linger_while_watches_are_told(watchers: int, expected: Width) -> None:
    assert written(PATCH, watchers) == expected


@pytest.mark.parametrize(
    "call",
    [
        replace(PATCH, verb="get"),
        replace(PATCH, verb="deletecollection"),
        Call("create", resource="serviceaccounts", subresource="token", name="s"),
    ],
)
def test_other_calls_do_not_linger(call: Call) -> None:
    assert written(call, 500) == Width()


def test_levels_bound_what_lingers() -> None:
    assert written(PATCH, 100, level_seats=4) == Width(1, 4, 12_500_000)


def test_gates_overrule_the_release() -> None:
    gates = {"SizeBasedListCostEstimate": False, "WatchList": False}

    assert width_rules(34, gates) == WidthRules(34, False, False, True)
    assert not width_rules(33, {"SizeBasedListCostEstimate": True}).by_size


def test_a_write_is_told_to_watches_of_its_place() -> None:
    expected = {
        Watched("", "pods"),
        Watched("", "pods", "a"),
        Watched("", "pods", "a", "p"),
    }

    assert set(told_of(PATCH)) == expected
    assert set(told_of(replace(PATCH, name=""))) == expected - {Watched("", "pods", "a", "p")}
    assert told_of(replace(PATCH, verb="get")) == ()
    assert told_of(Call("post", path="/metrics")) == ()


@pytest.mark.parametrize(
    ("resource", "selector", "counted"),
    [
        ("pods", "", True),
        ("pods", "spec.nodeName=n1", False),
        ("pods", "status.phase!=Failed,spec.nodeName==n1", False),
        ("pods", "spec.nodeName=", True),
        ("pods", "spec.nodeName!=n1", True),
        ("events", "spec.nodeName=n1", True),
    ],
)
def test_watches_of_pods_of_one_node_are_not_counted(resource, selector, counted) -> None:
    watch = Call("watch", resource=resource)

    assert counted_under(watch, selector) == (Watched("", resource) if counted else None)


def case(dice: random.Random) -> dict:
    """A request and a server, at random; a match comes with the version that it needs."""
    verb = dice.choice(["list", "list", "watch", "get", "create", "patch", "deletecollection"])
    minor = dice.randint(28, 38)
    match = dice.choice(["", "", "Exact", "NotOlderThan", "Other"])
    return {
        "verb": verb,
        "limit": dice.choice([0, 0, -1, 1, 20, 500, 5000]),
        "continues": dice.random() < 0.3,
        "resource_version": dice.choice(["0", "7"] if match else ["", "0", "7"]),
        "version_match": match,
        "selects": dice.random() < 0.4,
        "named": dice.random() < 0.1,
        "sends_initial_events": dice.random() < 0.3,
        "objects": dice.choice([0, 1, 99, 101, 450, 5000, 150_000, None]),
        "object_bytes": dice.choice([0, 300, 1000, 20_000]),
        "stale": dice.random() < 0.1,
        "minor": minor,
        "by_size": minor >= 34 and dice.random() < 0.7,
        "watch_lists": dice.random() < 0.5,
        "consistent_lists": dice.random() < 0.6,
        "level_seats": dice.choice([0, 1, 5, 9, 37, 400]),
        "watchers": dice.choice([0, 9, 10, 55, 101, 3000]),
    }


def estimated(told: dict) -> Width:
    call = Call(told["verb"], resource="pods", name="p" if told["named"] else "")
    names = asdict(ListOptions()).keys() & told.keys()
    rules = WidthRules(
        **{k: told[k] for k in ("minor", "by_size", "watch_lists", "consistent_lists")}
    )
    unknown = told["objects"] is None
    stored = None if unknown else Stored(told["objects"], told["object_bytes"], told["stale"])
    options = ListOptions(**{name: told[name] for name in names})
    return width(rules, call, options, stored, told["watchers"], told["level_seats"])


def test_the_macros_estimate_the_same(store: Store, tmp_path: Path) -> None:
    dice = random.Random(5)
    cases = [case(dice) | {"case_number": number} for number in range(4000)]
    for one in cases:
        one["stale"] = one["stale"] and one["objects"] is not None
    pl.DataFrame(cases).write_parquet(tmp_path / "cases.parquet")

    found = store.frame(MACROS, path=str(tmp_path / "cases.parquet")).drop("case_number").rows()

    for told, (initial, final, linger) in zip(cases, found, strict=True):
        assert estimated(told) == Width(initial, final, linger), told
