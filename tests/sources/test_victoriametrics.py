from __future__ import annotations

import json
import math
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubepostmortem.sources import victoriametrics
from kubepostmortem.sources.files import InputFile

PODS = {"__name__": "apiserver_request_total", "verb": "LIST"}


def line(metric: object = PODS, values: object = (1, 2.5), stamps: object = (1000, 2000)) -> str:
    return json.dumps({"metric": metric, "values": values, "timestamps": stamps}) + "\n"


def test_reads_every_sample_of_every_series(look, load, store):
    up = line({"__name__": "up"}, [1], [1733957610500])

    reading = load(
        victoriametrics, look(line(PODS, [1204, 9120], [1733957580000, 1733957610000]) + up)
    )

    assert (reading.lines, reading.loaded) == (3, 3)
    assert reading.last_at == datetime(2024, 12, 11, 22, 53, 30, 500_000)
    assert store.frame(
        "select metric, labels['verb'], value from metric_samples join metric_series "
        "using (series_id) order by value"
    ).rows() == [
        ("up", None, 1),
        ("apiserver_request_total", "LIST", 1204),
        ("apiserver_request_total", "LIST", 9120),
    ]


@pytest.mark.parametrize(
    ("written", "value"),
    [(None, math.nan), ("Infinity", math.inf), ("+Inf", math.inf), ("-Infinity", -math.inf)],
)
def test_keeps_values_that_are_no_finite_numbers(look, target, written, value):
    found = victoriametrics.read(look(line(values=[7, written])), target)

    first, read = found.samples["value"]
    assert first == 7
    assert read == value or (math.isnan(read) and math.isnan(value))


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("{\n", victoriametrics.NOT_JSON),
        ('{"metric":{"a":"\\ud800"}}\n', victoriametrics.NOT_JSON),
        ("[]\n", victoriametrics.NO_SERIES),
        (line(metric=None), victoriametrics.NO_SERIES),
        (line(values=["many", 1]), victoriametrics.NO_SERIES),
        (line(values=[[1], 1]), victoriametrics.NO_SERIES),
        (line(stamps=["a", 1]), victoriametrics.NO_SERIES),
        (line(stamps=[1]), victoriametrics.UNEQUAL),
        (line(metric={"verb": "LIST"}), victoriametrics.NO_NAME),
    ],
)
def test_a_bad_line_is_rejected_with_its_place(look, load, bad, reason):
    reading = load(victoriametrics, look(f"{line()}\n{bad}{line(stamps=[3000, 4000])}"))

    assert reading.loaded == 4
    (rejection,) = reading.rejections
    assert rejection.reason == reason
    assert (rejection.line, rejection.byte_offset) == (3, len(line()) + 1)
    assert rejection.excerpt == bad.encode()[:-1]


def test_a_sample_out_of_time_is_rejected(look, load):
    reading = load(victoriametrics, look(line(values=[1, 2, 3], stamps=[-5, 1000, 10**18])))

    assert (reading.loaded, reading.rejected) == (1, {victoriametrics.NO_SAMPLE: 2})


@settings(deadline=None)
@given(at=st.integers(0, 200))
def test_cut_anywhere_every_line_is_still_counted(at, tmp_path_factory):
    cut = (line() + line({"__name__": "é"}))[:at]
    path = tmp_path_factory.mktemp("cut") / "export"
    path.write_text(cut)

    found = victoriametrics.read(InputFile.look(path), None)

    assert found.samples.height / 2 + len(found.rejections) == len(cut.splitlines())
    assert {r.reason for r in found.rejections} <= {"cut off: the last line has no end"}


def test_a_cut_gzip_file_gives_its_whole_lines(look, load):
    lines = [line({"__name__": f"m{n * n * 7919 % 10007}"}, [n], [n]) for n in range(5000)]
    file = look("".join(lines), packed=True)
    file.path.write_bytes(file.path.read_bytes()[:-2000])

    reading = load(victoriametrics, InputFile.look(file.path))

    assert 2000 < reading.loaded < 5000
    assert reading.rejected == {"cut off: the compressed file ends early": 1}
