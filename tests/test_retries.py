"""Retries: what repeats an unsuccessful request, how soon, and what is left of the load."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import pytest

from kubepostmortem.questions.calls import Calls
from kubepostmortem.questions.question import Inquiry
from kubepostmortem.questions.retries import offered, retrying
from kubepostmortem.store import Store
from planted import Event, event
from planted_windows import plant_windows

IDS = count(1)
AGENT = {"user": "system:serviceaccount:obs:agent", "agent": "agent/1.0", "pod": "agent-x7k2p"}

Answer = tuple[float, int] | tuple[float, int, float]  # received, code, and took if not 0.1


def calls(*answers: Answer, **fields: Any) -> Iterator[Event]:
    """Requests of one client for one thing, and their answers."""
    for received, code, *took in answers:
        length = took[0] if took else 0.1
        asked = AGENT | fields
        yield event(f"r{next(IDS)}", received=received, took=length, code=code, **asked)


def windows(store: Store, overload: float, ends: float = 600) -> None:
    plant_windows(store, (0, overload), (overload, ends))


def found(store: Store, columns: str = "code_before, code, pause_s") -> list[tuple[Any, ...]]:
    rows = store.frame(f"select {columns} from retries order by received_at").rows()
    return [tuple(round(x, 6) if isinstance(x, float) else x for x in row) for row in rows]


@pytest.mark.parametrize("code", [429, 500, 503, 504])
def test_a_request_after_an_unsuccessful_one_is_a_retry(read, store: Store, code: int) -> None:
    read(calls((10, code), (11.2, 200)))

    assert found(store) == [(code, 200, 1.1)]


def test_every_further_try_is_a_retry(read, store: Store) -> None:
    read(calls((10, 429), (12, 500), (15, 429), (19, 200), (20, 200)))

    assert [before for before, *_ in found(store)] == [429, 500, 429]


def test_a_retry_names_the_request_that_it_repeats(read, store: Store) -> None:
    first, second = calls((10, 429), (12, 200))
    read([first, second])

    named = found(store, "audit_id, audit_id_before")
    assert named == [(second["auditID"], first["auditID"])]


@pytest.mark.parametrize("code", [200, 201, 401, 403, 404, 409])
def test_what_follows_any_other_answer_is_new(read, store: Store, code: int) -> None:
    read(calls((10, code), (11, 200)))

    assert found(store) == []


@pytest.mark.parametrize(
    "other",
    [
        {"verb": "watch"},
        {"resource": "nodes"},
        {"namespace": "shop"},
        {"uri": "/api/v1/pods?fieldSelector=spec.nodeName%3Da"},
        {"uri": "/api/v1/pods?labelSelector=app%3Dweb"},
        {"user": "system:serviceaccount:obs:other"},
        {"pod": "agent-zzzzz"},
        {"agent": "scanner/v1.0.0"},
    ],
    ids=lambda other: next(iter(other)) + "=" + next(iter(other.values()))[-9:],
)
def test_another_client_or_another_call_is_no_retry(read, store: Store, other: Any) -> None:
    read([*calls((10, 429)), *calls((11, 200), **other)])

    assert found(store) == []


def test_a_page_or_a_version_more_is_the_same_call(read, store: Store) -> None:
    asked = "/api/v1/pods?limit=500&resourceVersion=0"
    read([*calls((10, 429), uri=asked), *calls((12, 200))])

    assert len(found(store)) == 1


def test_pods_behind_one_address_are_told_apart(read, store: Store) -> None:
    read([*calls((10, 429)), *calls((11, 429), pod="agent-zzzzz"), *calls((12, 200))])

    assert found(store, "pod, client_known_by") == [("agent-x7k2p", "pod")]


def test_without_pods_addresses_tell_clients_apart(read, store: Store) -> None:
    no_pod = {"pod": ""}
    here = calls((10, 429), (12, 200), **no_pod)
    read([*here, *calls((11, 200), ip="10.9.9.9", **no_pod)])

    assert found(store, "source_ip, client_known_by") == [("10.0.0.1", "address")]


@pytest.mark.parametrize(
    ("code", "pause", "obeyed"),
    [(429, 1.0, True), (429, 8.0, True), (429, 0.25, False), (500, 0.25, None), (504, 2.0, None)],
)
def test_retry_after_is_obeyed_where_it_waited_a_second(
    read, store: Store, code: int, pause: float, obeyed: bool | None
) -> None:
    read(calls((10, code), (10.1 + pause, 200)))

    assert found(store, "pause_s, obeyed") == [(pause, obeyed)]


@pytest.mark.parametrize("code", [429, 500, 504])
def test_a_client_that_gives_up_retries_at_once(read, store: Store, code: int) -> None:
    read(calls((10, code, 32), (40.2, 200)))

    assert found(store, "pause_s, obeyed") == [(0, None)]


def test_requests_side_by_side_are_no_retries(read, store: Store) -> None:
    read(calls((10, 429, 5), (10.01, 429, 5), (10.02, 429, 5)))

    assert found(store) == []


def test_what_comes_after_a_minute_is_new(read, store: Store) -> None:
    read(calls((10, 429), (70, 429), (131, 200)))

    assert found(store, "pause_s") == [(59.9,)]


@pytest.mark.parametrize(("pause", "expected"), [(1.0, False), (15.0, True)])
def test_the_next_round_of_a_client_that_polls_is_marked(
    read, store: Store, pause: float, expected: bool
) -> None:
    rounds = [(15.0 * i, 200, 0.0) for i in range(5)]
    read(calls(*rounds, (75.0, 429, 0.0), (75.0 + pause, 200)))

    assert found(store, "at_usual_pace") == [(expected,)]


def test_clusters_are_kept_apart(store: Store, read) -> None:
    read([*calls((10, 429)), *calls((12, 200))])
    store.run("update requests set cluster = 'dev' where code = 200")

    assert found(store) == []


def planted(clients: int = 60, seed: int = 3) -> tuple[list[Event], int, int, int]:
    """Clients that are answered at random; also how many retries, after a 429, and too soon."""
    chance = random.Random(seed)
    events: list[Event] = []
    retries = after_429 = early = 0
    for number in range(clients):
        when, before, answers = chance.random(), 200, []
        for _ in range(chance.randrange(12)):
            code = chance.choice([200, 200, 404, 429, 500, 504])
            retries += before in (429, 500, 504)
            after_429 += before == 429
            wait = chance.choice([0.3, 1.2, 20.0])
            answers.append((when, code))
            early += code == 429 and wait < 1
            when, before = when + 0.1 + wait, code
        early -= before == 429 and bool(answers) and wait < 1  # nothing followed
        events += calls(*answers, pod=f"agent-{number:05}")
    chance.shuffle(events)
    return events, retries, after_429, early


def test_planted_retries_are_found_whatever_the_order_of_lines(read, store: Store) -> None:
    events, retries, after_429, early = planted()
    read(events)

    counts = "count(*), count(*) filter (code_before = 429), count(*) filter (not obeyed)"
    assert store.frame(f"select {counts} from retries").rows() == [(retries, after_429, early)]


# Offered load


def load(read, store: Store) -> None:
    """Calm until 300 s; then three requests of which two are retries, one of them too soon."""
    calm = [(float(i), 200) for i in range(0, 300, 30)]
    read(calls(*calm, (310, 429), (310.3, 429), (312, 200)))
    windows(store, 300)


def test_offered_load_is_unique_requests_and_retries(read, store: Store) -> None:
    load(read, store)

    baseline, overload = store.rows("from offered_load order by time_window")
    assert (baseline["requests"], baseline["retries"], baseline["retry_factor"]) == (10, 0, 1)
    assert baseline["early_share"] is None
    assert overload == {
        "cluster": "prod",
        "component": "obs/agent",
        "verb": "list",
        "time_window": "overload",
        "requests": 3,
        "retries": 2,
        "unique_requests": 1,
        "retry_factor": 3,
        "retries_at_usual_pace": 0,
        "retries_after_429": 2,
        "early_share": 0.5,
    }


def test_retrying_tells_the_overload_only(read, store: Store) -> None:
    load(read, store)

    told = retrying(Inquiry(store), Calls("obs/agent", "list", ("pods",)))
    assert (told.requests, told.retries, told.unique_requests) == (3, 2, 1)
    assert (told.retry_factor, told.after_429, told.after_5xx) == (3, 2, 0)
    assert told.obeyed_share == 0.5
    assert told.pause_after_429_s == pytest.approx((0.2 + 1.6) / 2)
    assert told.pause_after_5xx_s is None


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (Calls(), 3),
        (Calls(verb="list"), 3),
        (Calls(resources=("pods", "nodes")), 3),
        (Calls("obs/agent", "watch"), 0),
        (Calls(resources=("nodes",)), 0),
        (Calls("'; drop table requests --"), 0),
    ],
)
def test_a_pattern_leaves_out_what_it_does_not_match(
    read, store: Store, pattern: Calls, expected: int
) -> None:
    load(read, store)

    told = retrying(Inquiry(store), pattern)
    assert (told.requests, told.retries) == (expected, max(expected - 1, 0))
    assert (told.retry_factor is None) == (expected == 0)


def test_the_most_retries_come_first(read, store: Store) -> None:
    many = calls(*((310.0 + 2 * i, 429) for i in range(5)), verb="get")
    read([*calls((310, 429), (312, 200)), *many])
    windows(store, 300)

    rows: Sequence[dict[str, Any]] = offered(Inquiry(store))
    assert [(row["verb"], row["retries"]) for row in rows] == [("get", 4), ("list", 1)]
    assert len(offered(Inquiry(store), most=1)) == 1
