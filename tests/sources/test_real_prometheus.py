"""What a real Prometheus tells of one set of samples is read alike, whatever way it tells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile

import httpx
import pytest

from kubepostmortem.sources import exposition, prometheus_api, prometheus_listing
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.source import Numbered, Target
from kubepostmortem.store import Store
from prometheus_server import needs_prometheus, prometheus, promtool, write_blocks
from remote_write import Native, send

pytestmark = needs_prometheus

BEGIN, STEP = 1733957580, 30
COUNTERS = {
    'verb="LIST",resource="pods"': [1000, 1204, 9120, 10, 250, 250, 4000],  # restarted once
    'verb="GET",resource="a\\"b\\\\c"': [5, 6, 7, 8, 9, 10, 11],
    'verb="WATCH",resource="é"': [0.5, 1e6, 1e9, 1, 2, 1, 0],
}
STAMPS = [BEGIN + STEP * n for n in range(7)]


def openmetrics() -> str:
    lines = [
        f"asked_total{{{labels}}} {value} {stamp}\n"
        for labels, values in COUNTERS.items()
        for value, stamp in zip(values, STAMPS, strict=True)
    ]
    return f"# TYPE asked counter\n{''.join(lines)}# EOF\n"


@dataclass(frozen=True)
class Told:
    """Files in which Prometheus and promtool tell all samples, and what it made of them."""

    folder: Path
    made: dict[str, float]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("prometheus")
    data = write_blocks(folder, openmetrics())
    (folder / "openmetrics.txt").write_text(openmetrics())
    span = {"start": BEGIN, "end": STAMPS[-1], "step": STEP}
    with prometheus(data) as url, httpx.Client(base_url=url, trust_env=False) as client:

        def ask(path: str, name: str, **parameters: object) -> httpx.Response:
            answer = client.get(f"/api/v1/{path}", params=parameters)  # type: ignore[arg-type]
            (folder / name).write_bytes(answer.content)
            return answer

        ask("query_range", "query_range.json", query="asked_total", **span)
        ask("query", "query.json", query="asked_total[10m]", time=STAMPS[-1])
        ask("series", "series.json", **{"match[]": "asked_total", "start": BEGIN})
        ask("alerts", "alerts.json")
        ask("rules", "rules.json")
        # Newer versions leave a sample out that lies exactly where the range begins.
        span_ms = 1000 * (STAMPS[-1] - BEGIN) + 1
        increase = f"increase(asked_total[{span_ms}ms])"
        answer = ask("query", "increase.json", query=increase, time=STAMPS[-1])
    (folder / "dump.txt").write_text(promtool("tsdb", "dump", str(data)))
    series = answer.json()["data"]["result"]
    return Told(folder, {one["metric"]["verb"]: float(one["value"][1]) for one in series})


@pytest.fixture
def stores(empty: Path, tmp_path: Path) -> Iterator[list[Store]]:
    found = [Store.create(Path(copyfile(empty, tmp_path / f"{n}.duckdb"))) for n in range(2)]
    yield found
    for store in found:
        store.close()


SOURCES = {
    "query_range.json": prometheus_api,
    "query.json": prometheus_api,
    "dump.txt": exposition,
    "openmetrics.txt": exposition,
}


def samples(store: Store) -> list[tuple]:
    return store.frame(
        "select metric, labels['verb'], labels['resource'], sampled_at, value "
        "from metric_samples join metric_series using (series_id) order by all"
    ).rows()


@pytest.mark.parametrize(("name", "source"), SOURCES.items(), ids=SOURCES)
def test_every_way_tells_the_same_samples(told, stores, name, source):
    file, planted = (InputFile.look(told.folder / n) for n in (name, "openmetrics.txt"))

    (reading,) = source.load([Numbered(1, file)], Target(stores[0], "prod"))
    exposition.load([Numbered(1, planted)], Target(stores[1], "prod"))

    assert source.recognises(file)
    assert (reading.loaded, reading.rejected) == (21, {})
    assert samples(stores[0]) == samples(stores[1])


@pytest.mark.parametrize(("name", "source"), SOURCES.items(), ids=SOURCES)
def test_increases_are_those_of_prometheus(told, store, name, source):
    source.load([Numbered(1, InputFile.look(told.folder / name))], Target(store, "prod"))

    ours = store.frame("select labels['verb'], sum(increase) from metric_rate group by all")
    assert dict(ours.iter_rows()) == pytest.approx(told.made, rel=1e-4)


@pytest.mark.parametrize(("name", "entries"), [("series", 3), ("alerts", 0), ("rules", 0)])
def test_listings_are_known_and_hold_no_samples(told, target, name, entries):
    file = InputFile.look(told.folder / f"{name}.json")

    found = prometheus_listing.read(file, target)

    assert prometheus_listing.recognises(file)
    assert not prometheus_api.recognises(file)
    assert (found.samples.height, found.filtered, found.rejections) == (0, entries, [])


HISTOGRAMS = [
    Native(1000 * BEGIN, sum=5.0, positive={0: 2, 3: 7}, negative={1: 1}, zero=3),
    Native(1000 * (BEGIN + STEP), sum=9.0, positive={0: 2, 1: 4, 3: 9}, negative={1: 1}, zero=3),
]
BOUNDS = ["-1", "0.001", "1", "2", "8", "+Inf"]


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Native histograms, and for each bound the share at the end that Prometheus has below it."""
    folder = tmp_path_factory.mktemp("native")
    (folder / "data").mkdir()
    flags = "--enable-feature=native-histograms", "--web.enable-remote-write-receiver"
    with prometheus(folder / "data", *flags) as url:
        send(url, "took_seconds", HISTOGRAMS)
        with httpx.Client(base_url=f"{url}/api/v1", trust_env=False) as client:
            end = {"end": BEGIN + STEP, "time": BEGIN + STEP}
            span = {"query": "took_seconds", "start": BEGIN, "step": STEP, **end}
            for way in ("query_range", "query"):
                (folder / way).write_bytes(client.get(f"/{way}", params=span).content)
            shares = {
                bound: client.get(
                    "/query",
                    params={"query": f"histogram_fraction(-Inf, {bound}, took_seconds)", **end},
                ).json()["data"]["result"][0]["value"][1]
                for bound in BOUNDS
            }
    return Told(folder, {bound: float(share) for bound, share in shares.items()})


@pytest.mark.parametrize(("way", "samples"), [("query_range", 2), ("query", 1)])
def test_native_histograms_lie_below_each_bound_as_in_prometheus(
    native, store, target, way, samples
):
    file = InputFile.look(native.folder / way)

    (reading,) = prometheus_api.load([Numbered(1, file)], target)

    assert (reading.loaded, reading.rejected) == (samples * (len(BOUNDS) + 2), {})
    found = store.frame(
        "select metric, labels['le'], value from metric_samples join metric_series "
        "using (series_id) where sampled_at = (select max(sampled_at) from metric_samples)"
    )
    values = {(metric, le): value for metric, le, value in found.iter_rows()}
    count = values.pop(("took_seconds_count", None))
    assert (count, values.pop(("took_seconds_sum", None))) == (HISTOGRAMS[-1].count, 9)
    below = {le: value / count for (_, le), value in values.items()}
    assert below == pytest.approx(native.made)
