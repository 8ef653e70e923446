"""Native histograms become classic ones: the same counts at each bound, for every sample."""

from __future__ import annotations

import math
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubepostmortem.sources import exposition, native_histograms
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.source import Target

BEGIN = 1733957580_000
COUNTS = st.dictionaries(st.integers(-4, 4), st.integers(1, 1000), max_size=6)


def histogram(count: float, total: float, *buckets: str) -> str:
    """A histogram as Prometheus prints it."""
    return f"{{{', '.join((f'count:{count:g}', f'sum:{total:g}', *buckets))}}}"


def read(path, *histograms: str) -> dict[tuple[str, str | None], list[float]]:
    """Values by metric and le, in order of time, of a series dumped every second."""
    lines = [f'{{__name__="h", a="b"}} {h} {BEGIN + 1000 * n}\n' for n, h in enumerate(histograms)]
    path.write_text("".join(lines))
    found = exposition.read(InputFile.look(path), Target(None, "prod"))
    assert not found.rejections
    rows = found.samples.join(found.series, on="series").sort("sampled_at")
    values: dict[tuple[str, str | None], list[float]] = {}
    for row in rows.iter_rows(named=True):
        labels = {pair["key"]: pair["value"] for pair in row["labels"]}
        assert labels.pop("a") == "b"
        values.setdefault((row["metric"], labels.get("le")), []).append(row["value"])
    return values


def test_counts_are_cumulative_and_every_sample_has_every_bound(tmp_path):
    first = histogram(10, 5, "[-4,-2):1", "[-0.001,0.001]:2", "(1,2]:7")
    second = histogram(14.0, 9, "[-4,-2):1", "[-0.001,0.001]:2", "(0.5,1]:3", "(2,+Inf]:8")

    assert read(tmp_path / "dump", first, second) == {
        ("h_count", None): [10, 14],
        ("h_sum", None): [5, 9],
        ("h_bucket", "-2"): [1, 1],
        ("h_bucket", "0.001"): [3, 3],
        ("h_bucket", "1"): [3, 6],
        ("h_bucket", "2"): [10, 6],
        ("h_bucket", "+Inf"): [10, 14],
    }


def test_a_histogram_without_observations_has_no_finite_bound(tmp_path):
    assert read(tmp_path / "dump", histogram(0, 0)) == {
        ("h_count", None): [0],
        ("h_sum", None): [0],
        ("h_bucket", "+Inf"): [0],
    }


def test_the_mark_of_a_series_that_ended_is_no_count(tmp_path):
    values = read(tmp_path / "dump", histogram(3, 2, "(0.5,1]:3"), "{count:0, sum:NaN}")

    assert all(math.isnan(value) for _, value in values.values())
    assert values["h_bucket", "1"][0] == 3


def test_a_sum_of_what_is_no_number_takes_no_count_away(tmp_path):
    values = read(tmp_path / "dump", "{count:3, sum:NaN, (0.5,1]:2}")

    assert values["h_count", None] == [3]
    assert (values["h_bucket", "1"], values["h_bucket", "+Inf"]) == ([2], [3])


@settings(deadline=None)
@given(samples=st.lists(COUNTS, min_size=1, max_size=4))
def test_what_lies_below_each_bound_is_what_the_buckets_hold(samples, tmp_path_factory):
    """Bucket n holds what lies in (2^n, 2^(n+1)]."""
    written = [
        histogram(
            sum(held.values()),
            1,
            *(f"({2.0**n:g},{2.0 ** (n + 1):g}]:{held[n]}" for n in sorted(held)),
        )
        for held in samples
    ]

    values = read(tmp_path_factory.mktemp("dump") / "dump", *written)

    assert values["h_bucket", "+Inf"] == values["h_count", None]
    bounds = {n for held in samples for n in held}
    assert len(values) == len(bounds) + 3
    for bound in bounds:
        below = [sum(many for n, many in held.items() if n <= bound) for held in samples]
        assert values["h_bucket", native_histograms.bound(2.0 ** (bound + 1))] == below


def test_series_and_times_do_not_mix(tmp_path):
    path = tmp_path / "dump"
    path.write_text(
        '{__name__="h", a="x"} {count:1, sum:1, (1,2]:1} 1000\n'
        '{__name__="h", a="y"} {count:2, sum:1, (3,4]:2} 1000\n'
        '{__name__="up"} 1 1000\n'
    )

    found = exposition.read(InputFile.look(path), Target(None, "prod"))

    assert found.series["series"].is_unique().all()
    assert (found.series.height, found.samples.height) == (9, 9)
    assert found.samples["sampled_at"].unique().to_list() == [datetime(1970, 1, 1, 0, 0, 1)]


@pytest.mark.parametrize(
    ("upper", "text"), [(math.inf, "+Inf"), (1.0, "1"), (0.25, "0.25"), (-2.0, "-2")]
)
def test_bounds_are_written_as_prometheus_does(upper, text):
    assert native_histograms.bound(upper) == text
