"""Metrics asked for at a real Prometheus: all of them, once, and whatever goes wrong on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from shutil import copyfile

import pytest

from kubepostmortem.errors import NoUsableInput
from kubepostmortem.incident import Window
from kubepostmortem.ingest import Outcome, ingest
from kubepostmortem.redaction import Redaction
from kubepostmortem.sources import prometheus_client
from kubepostmortem.sources.live_prometheus import plan
from kubepostmortem.store import Store
from prometheus_proxy import Answer, Proxy, Request, proxy
from prometheus_server import needs_prometheus, prometheus, write_blocks

pytestmark = needs_prometheus

SINCE, UNTIL, EVERY = 1733956200, 1733965200, 30  # 22:30 to 01:00; full hours lie within
WINDOW = Window.parse("2024-12-11T22:30:00Z/2024-12-12T01:00:00Z")
HOURS = 3
TEN_MINUTES = Window(WINDOW.begins_at, WINDOW.begins_at + timedelta(minutes=10))
HOSTILE = ['a"b\\c', "two\nlines", "é\u2028", "'); drop table requests; --", "{x}", "x" * 5000, ""]

Key = tuple[str, tuple[tuple[str, str], ...]]


def series() -> dict[Key, range]:
    """Counters with hostile labels, one with a series before and after, and what is not asked."""
    labels = [{"verb": "LIST", "resource": text, "cluster": "prod"} for text in HOSTILE]
    named = [("apiserver_request_total", one) for one in labels]
    named += [("up", {"job": "dns", "cluster": other}) for other in ("prod", "test")]
    bucket = "apiserver_request_duration_seconds_bucket"
    named += [(bucket, {"le": le, "cluster": "prod"}) for le in ("0.2", "1.0", "5", "+Inf")]
    named += [("my_total", {"cluster": "prod"})]
    whole = range(SINCE - 600, UNTIL + 600, EVERY)
    return {(name, tuple(sorted(one.items()))): whole for name, one in named}


def planted(*, clusters: str = "prod test", further: str = "") -> dict[Key, list[int]]:
    """What should arrive: whole of the window, and only bounds that are asked for."""
    return {
        (name, tuple((k, v) for k, v in labels if v)): [t for t in stamps if SINCE <= t < UNTIL]
        for (name, labels), stamps in series().items()
        if dict(labels).get("le") not in ("0.2", "+Inf")
        and dict(labels)["cluster"] in clusters
        and name in f"apiserver_request_total apiserver_request_duration_seconds_bucket up{further}"
    }


def openmetrics() -> str:
    def escaped(text: str) -> str:
        return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")

    lines = []
    for (name, labels), stamps in series().items():
        told = ",".join(f'{key}="{escaped(value)}"' for key, value in labels)
        lines += [f"{name}{{{told}}} {n} {stamp}\n" for n, stamp in enumerate(stamps)]
    return f"{''.join(lines)}# EOF\n"


@pytest.fixture(scope="module")
def blocks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_blocks(tmp_path_factory.mktemp("prometheus"), openmetrics())


@pytest.fixture(scope="module")
def running(blocks: Path) -> Iterator[str]:
    with prometheus(blocks) as url:
        yield url


@pytest.fixture
def server(running: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    monkeypatch.delenv(prometheus_client.TOKEN, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with proxy(running) as between:
        yield between


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that were waited between attempts, without waiting."""
    found: list[float] = []
    monkeypatch.setattr(prometheus_client, "sleep", found.append)
    return found


@pytest.fixture
def stores(empty: Path, tmp_path: Path) -> Iterator[Iterator[Store]]:
    """As many empty stores as wanted."""
    made: list[Store] = []

    def more() -> Iterator[Store]:
        for n in count():
            made.append(Store.create(Path(copyfile(empty, tmp_path / f"{n}.duckdb"))))
            yield made[-1]

    yield more()
    for store in made:
        store.close()


def fetch(store: Store, url: str, **options: object) -> list[Outcome]:
    return ingest(store, [], "prod", fetches=plan(url, WINDOW, **options))  # type: ignore[arg-type]


def arrived(store: Store) -> dict[Key, list[int]]:
    rows = store.frame(
        "select metric, map_entries(labels) as labels, "
        "list(epoch(sampled_at)::bigint order by sampled_at) as stamps "
        "from metric_samples join metric_series using (series_id) group by metric, labels"
    )
    return {
        (row["metric"], tuple((one["key"], one["value"]) for one in row["labels"])): row["stamps"]
        for row in rows.iter_rows(named=True)
    }


def total(outcomes: list[Outcome], what: str) -> int:
    return sum(getattr(outcome.reading, what) for outcome in outcomes)


def test_all_samples_of_the_window_arrive_once(server, store):
    outcomes = fetch(store, server.url)

    assert arrived(store) == planted()
    assert total(outcomes, "loaded") == sum(map(len, planted().values()))
    assert (total(outcomes, "duplicates"), len(server.queries)) == (0, 3 * HOURS)
    notes = store.value("select notes from ingests where format = 'Prometheus API listing'")
    assert "metrics that are not there: ALERTS, " in notes


def test_values_are_those_of_prometheus(server, store):
    fetch(store, server.url)

    values = store.frame(
        "select value from metric_samples join metric_series using (series_id) "
        "where metric = 'up' and labels['cluster'] = 'prod' order by sampled_at"
    )["value"].to_list()
    assert values == [float(20 + n) for n in range(len(values))]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"match": ["my_total", 'up{job="dns"}']}, planted(further=" my_total")),
        ({"where": 'cluster="prod"'}, planted(clusters="prod")),
    ],
    ids=["match", "where"],
)
def test_what_is_asked_can_be_chosen(server, store, options, expected):
    fetch(store, server.url, **options)
    assert arrived(store) == expected


def test_nothing_is_asked_twice(server, store):
    first = fetch(store, server.url)
    server.asked.clear()

    again = fetch(store, server.url)

    assert server.queries == []
    assert [outcome.skipped for outcome in again] == [True] * len(first)
    assert arrived(store) == planted()


def test_a_wider_window_asks_for_what_is_new(server, store):
    fetch(store, server.url)
    server.asked.clear()
    wider = Window.parse("2024-12-11T22:30:00Z/2024-12-12T01:05:00Z")

    ingest(store, [], "prod", fetches=plan(server.url, wider))

    assert len(server.queries) == 3
    assert all(query.endswith("1733965499.999") for query in server.queries)


def test_a_redacted_database_knows_what_it_has(server, store):
    ways = {"redaction": Redaction.under("key"), "fetches": plan(server.url, WINDOW)}
    ingest(store, [], "prod", **ways)
    assert store.value("select count(*) from metric_samples") == sum(map(len, planted().values()))
    server.asked.clear()

    ingest(store, [], "prod", **ways)

    assert server.queries == []


def open_on_the_left(request: Request, forward) -> Answer:
    """As Prometheus 3 answers: without a sample at the very begin of the range."""
    answer = forward()
    if "query" not in request.parameters:
        return answer
    told = json.loads(answer.body)
    length = int(request.parameters["query"].rpartition("[")[2].removesuffix("ms]"))
    begin = float(request.parameters["time"]) - length / 1000
    for one in told["data"]["result"]:
        one["values"] = [pair for pair in one["values"] if pair[0] > begin]
    return replace(answer, body=json.dumps(told).encode())


def test_newer_and_older_versions_give_the_same(server, stores):
    closed, open_ = next(stores), next(stores)
    fetch(closed, server.url)
    server.spoil = open_on_the_left
    fetch(open_, server.url)

    assert arrived(closed) == arrived(open_) == planted()


@pytest.mark.parametrize("answered", [0, 1, 5])
def test_a_run_that_ended_early_goes_on_where_it_stopped(server, store, answered):
    denied = Answer(403, b"enough")
    server.spoil = lambda request, forward: (
        denied if request.number == answered + 1 and "query" in request.parameters else forward()
    )
    with pytest.raises(NoUsableInput, match="no access"):
        fetch(store, server.url)

    fetch(store, server.url)

    assert arrived(store) == planted()
    assert len(server.queries) == 3 * HOURS + 1
    assert len(set(server.queries)) == 3 * HOURS


KILLED = """
import sys
from kubepostmortem import cli, ingest
ingest.BATCH_SECONDS = -1
cli.main()
"""


def test_a_run_that_was_killed_goes_on_where_it_stopped(server, tmp_path):
    database = tmp_path / "incident.duckdb"
    span = [*("--since", "2024-12-11T22:30:00Z"), *("--until", "2024-12-12T01:00:00Z")]
    words = ["ingest", "-d", str(database), "--cluster", "prod", "--prometheus", server.url, *span]

    def kill(request: Request, forward) -> Answer:
        if request.number == 6 and "query" in request.parameters:
            os.kill(child.pid, signal.SIGKILL)
        return forward()

    server.spoil = kill
    child = subprocess.Popen([sys.executable, "-c", KILLED, *words], stderr=subprocess.PIPE)
    _, said = child.communicate(timeout=60)
    assert child.returncode == -signal.SIGKILL, said
    server.spoil = lambda _, forward: forward()

    with Store.create(database) as store:
        before = store.value("select count(*) from ingests")
        fetch(store, server.url)
        assert arrived(store) == planted()
    assert before >= 4
    assert len(server.queries) <= 3 * HOURS + 2


def test_what_is_too_large_is_asked_in_halves(blocks, store, waits, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with prometheus(blocks, "--query.max-samples=200") as url, proxy(url) as limited:
        outcomes = fetch(store, limited.url)
        assert arrived(store) == planted()
        assert total(outcomes, "loaded") == sum(map(len, planted().values()))
        asked = len(limited.queries)
        assert asked > len(outcomes) - 1

        fetch(store, limited.url)
        assert len(limited.queries) == asked


def refusal(status: int, body: str):
    def spoil(request: Request, forward) -> Answer:
        asked = request.parameters.get("query", "")
        return Answer(status, body.encode()) if asked.startswith("up") else forward()

    return spoil


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (422, '{"status":"error","errorType":"execution","error":"too many"}', "422: too many"),
        (413, "<html><h1>413 Request\x00 Too Large</h1></html>", "413: 413 Request Too Large"),
        (400, '{"error":"exceeded maximum resolution"}', "400: exceeded maximum resolution"),
        (503, '{"error":"query timed out in expression evaluation"}', "503: query timed out"),
        (504, "", "504: Gateway Timeout"),
    ],
)
def test_what_stays_too_large_is_rejected_in_the_words_of_the_server(
    server, store, waits, status, body, says
):
    server.spoil = refusal(status, body)

    outcomes = ingest(store, [], "prod", fetches=plan(server.url, TEN_MINUTES))

    reasons = [reason for outcome in outcomes for reason in outcome.reading.rejected]
    assert reasons and all(says in reason for reason in reasons)
    lengths = {int(q.split("[")[1].split("ms")[0]) for q in server.queries if q[:2] == "up"}
    assert 30_000 <= min(lengths) <= 60_000
    assert {key[0] for key in arrived(store)} == {key[0] for key in planted()} - {"up"}


def test_a_refused_query_is_rejected_at_once_and_asked_again_next_time(server, store):
    bad = {"match": ["sum(up"]}
    (reason,) = {r for outcome in fetch(store, server.url, **bad) for r in outcome.reading.rejected}
    server.asked.clear()
    fetch(store, server.url, **bad)

    assert "400: invalid parameter" in reason and "parse error" in reason
    assert len(server.queries) == HOURS
    assert store.value("select sum(rejected) from ingests") == HOURS
    assert arrived(store) == planted()


@pytest.mark.parametrize(
    ("headers", "waited"),
    [({}, [1, 2]), ({"Retry-After": "7"}, [7, 7]), ({"Retry-After": "99999"}, [60, 60])],
)
@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_given_time(server, store, waits, status, headers, waited):
    calls = count()
    server.spoil = lambda _, forward: (
        Answer(status, b"busy", headers) if next(calls) < 2 else forward()
    )

    ingest(store, [], "prod", fetches=plan(server.url, TEN_MINUTES, where='job="dns"'))

    assert waits == waited
    assert store.value("select count(*) from metric_samples") == 2 * 20


def test_a_server_that_stays_busy_is_left(server, store, waits):
    server.spoil = lambda *_: Answer(502, b"<h1>Bad Gateway</h1>")
    with pytest.raises(NoUsableInput, match=r"the server answers 502 \(Bad Gateway\)"):
        fetch(store, server.url)
    assert (waits, len(server.asked)) == ([1, 2, 4], 4)


def test_an_answer_that_is_larger_than_memory_is_halved(server, store, monkeypatch):
    monkeypatch.setattr(prometheus_client, "LARGEST", 3_000)
    fetch(store, server.url, where='job="dns"')
    assert {key[0] for key in arrived(store)} == {"up"}
    assert sum(map(len, arrived(store).values())) == 2 * len(range(SINCE, UNTIL, EVERY))
    assert len(server.queries) > HOURS
