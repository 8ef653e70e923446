from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kubepostmortem.sources import exposition
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.source import Target

NOON = Target(None, "prod", taken_at=datetime(2024, 12, 11, 12))

LABEL_NAMES = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,8}", fullmatch=True).filter(
    lambda name: name != "__name__"
)
LABEL_VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def samples(file: InputFile, target: Target = NOON) -> list[tuple]:
    """Metric, labels, time and value of each sample, in the order of the lines."""
    found = exposition.read(file, target)
    rows = found.samples.join(found.series, on="series", maintain_order="left").to_dicts()
    return [
        (r["metric"], {p["key"]: p["value"] for p in r["labels"]}, r["sampled_at"], r["value"])
        for r in rows
    ]


def written(metric: str, labels: dict[str, str], value: str) -> str:
    escaped = {
        key: text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
        for key, text in labels.items()
    }
    pairs = ",".join(f'{key}="{text}"' for key, text in escaped.items())
    return f"{metric}{{{pairs}}} {value}\n"


def test_reads_metric_labels_and_value(look):
    file = look('# TYPE up gauge\nup{job="a",instance="b"} 1\ngo_threads 12\n')

    assert samples(file) == [
        ("up", {"instance": "b", "job": "a"}, NOON.taken_at, 1.0),
        ("go_threads", {}, NOON.taken_at, 12.0),
    ]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ('a{b="c"} 1e+06', 1e6),
        ('a{b="c"} +Inf', math.inf),
        ('a{b="c"} -Inf', -math.inf),
        ('a { b = "c" , } 3', 3.0),
        ('\ta{b="c"}\t3 \r', 3.0),
        ('a{b="c"}3', 3.0),
        ('{__name__="a", b="c"} 3', 3.0),
        ('a{b="c"} 3 # {trace_id="} 9"} 0.5', 3.0),
    ],
)
def test_reads_every_way_to_write_a_sample(look, line, value):
    assert samples(look(f"{line}\n")) == [("a", {"b": "c"}, NOON.taken_at, value)]


@pytest.mark.parametrize(
    ("line", "metric", "labels"),
    [
        ('{"my.metric", b="c"} 3', "my.metric", {"b": "c"}),
        ('{"my.metric","k.v"="c"} 3', "my.metric", {"k.v": "c"}),
        ('{b="c", __name__="my.metric"} 3', "my.metric", {"b": "c"}),
        ('{"a=\\"b\\"", "}\\""="{"} 3', 'a="b"', {'}"': "{"}),
    ],
)
def test_reads_names_beyond_the_old_letters(look, line, metric, labels):
    assert samples(look(f"{line}\n")) == [(metric, labels, NOON.taken_at, 3.0)]


def test_reads_the_escapes_that_promtool_writes(look):
    line = r'{__name__="m", a="\t\x00\u2028\U0001f600\xff\ud800\q\\n"} 3'

    ((_, labels, *_),) = samples(look(f"{line}\n"))

    assert labels == {"a": "\t\x00\u2028\U0001f600\ufffd\ufffd\\q\\n"}


OPENMETRICS = """\
# TYPE took_seconds summary
# UNIT took_seconds seconds
took_seconds{quantile="0.99"} 0.5 1733957610.000
took_seconds_count 7 1733957610.000
took_seconds_created 1733950000.000 1733957610.000
# TYPE asked counter
asked_total 9 1733957610.000 # {trace_id="a b"} 1 1733957609.000
# EOF
"""


def test_reads_what_openmetrics_adds(look):
    found = samples(look(OPENMETRICS))

    assert [(metric, labels, value) for metric, labels, _, value in found] == [
        ("took_seconds", {"quantile": "0.99"}, 0.5),
        ("took_seconds_count", {}, 7.0),
        ("took_seconds_created", {}, 1733950000.0),
        ("asked_total", {}, 9.0),
    ]


def test_keeps_what_is_no_number(look):
    ((*_, value),) = samples(look('a{b="c"} NaN\n'))

    assert math.isnan(value)


@settings(deadline=None)
@given(labels=st.dictionaries(LABEL_NAMES, LABEL_VALUES, max_size=4))
@example(labels={"a": '"},{b="\\', "c": "\\n\n\\\\"})
@example(labels={"a": "\r", "b": "#", "c": "\x00\u2028"})
def test_any_label_value_comes_back_as_it_was(labels, tmp_path_factory):
    path = tmp_path_factory.mktemp("metrics") / "metrics"
    path.write_bytes(written("m", labels, "1").encode())

    assert samples(InputFile.look(path)) == [("m", labels, NOON.taken_at, 1.0)]


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("m{} 1 1733957610123\n", datetime(2024, 12, 11, 22, 53, 30, 123_000)),
        ("m{} 1 1733957610.500\n", datetime(2024, 12, 11, 22, 53, 30, 500_000)),
        ("m{} 1 1733957610\n# EOF\n", datetime(2024, 12, 11, 22, 53, 30)),
    ],
)
def test_times_are_milliseconds_and_in_openmetrics_seconds(look, text, time):
    found = exposition.read(look(text), NOON)

    assert (found.samples["sampled_at"].to_list(), found.notes) == ([time], None)


def test_samples_without_time_are_dated_as_given(look):
    found = exposition.read(look("m_total 1\n"), NOON)

    assert found.notes == "samples without a time are dated 2024-12-11T12:00:00Z, as given"


def test_samples_without_time_are_else_dated_by_the_file(look):
    file = replace(look("m_total 1\n"), modified_ns=1733957610_000_000_000)

    found = exposition.read(file, replace(NOON, taken_at=None))

    assert found.samples["sampled_at"].to_list() == [datetime(2024, 12, 11, 22, 53, 30)]
    assert "2024-12-11T22:53:30Z, the file's modification time" in found.notes


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("what is this", exposition.NO_NUMBER),
        ('m{a="b} 1', exposition.NOT_A_SAMPLE),
        ('m{a="b" c="d"} 1', exposition.NOT_A_SAMPLE),
        ("m{} one", exposition.NO_NUMBER),
        ("m{}", exposition.NOT_A_SAMPLE),
        ("m1", exposition.NOT_A_SAMPLE),
        ("m{} {count:1} 1", exposition.NOT_A_SAMPLE),
        ("m{} {count:1, sum:x} 1", exposition.NOT_A_SAMPLE),
        ("m{} {count:1, sum:2, (1:3} 1", exposition.NOT_A_SAMPLE),
        ("m{} {count:1, sum:2, (1,2-3]:4} 1", exposition.NOT_A_SAMPLE),
        ("m{} {count:1, sum:2, (1,2]:NaNN} 1", exposition.NOT_A_SAMPLE),
        ("{} {count:1, sum:2} 1", exposition.NO_NAME),
        ("m{} 1 noon", exposition.NO_TIME),
        ("m{} 1 99999999999999999999", exposition.NO_TIME),
        ('m{a="b",a="c"} 1', exposition.NAMED_TWICE),
        ('m{"n"} 1', exposition.NAMED_TWICE),
        ('{"n", __name__="m"} 1', exposition.NAMED_TWICE),
        ('{a="b"} 1', exposition.NO_NAME),
    ],
)
def test_a_bad_line_is_rejected_with_its_place(look, line, reason):
    found = exposition.read(look(f"# TYPE é gauge\n\nup 1\n{line}\nup 1\n"), NOON)

    assert found.samples.height == 2
    (rejection,) = found.rejections
    assert (rejection.reason, rejection.excerpt) == (reason, line.encode())
    assert (rejection.line, rejection.byte_offset) == (4, 22)


def test_the_last_line_is_not_trusted_without_its_end(look):
    found = exposition.read(look('m{a="b"} 9120\nm{a="c"} 91'), NOON)

    assert found.samples["value"].to_list() == [9120]
    assert [r.reason for r in found.rejections] == ["cut off: the last line has no end"]


@settings(deadline=None)
@given(at=st.integers(0, 120))
def test_cut_anywhere_every_line_is_still_counted(at, tmp_path_factory):
    text = '# TYPE m counter\nm{a="b",c="d\\"e"} 1\n\nm{a="é"} NaN 1733957610123\n# x\nm 3\n'
    cut = text.encode()[:at]
    path = tmp_path_factory.mktemp("cut") / "metrics"
    path.write_bytes(cut)

    found = exposition.read(InputFile.look(path), NOON)

    lines = [line for line in cut.split(b"\n") if line.strip() and not line.startswith(b"#")]
    assert found.samples.height + len(found.rejections) == len(lines)


def test_a_cut_gzip_file_gives_what_it_holds(look):
    lines = "".join(f'm_total{{n="{n * n * 7919 % 10007}"}} {n}\n' for n in range(20_000))
    file = look(lines, packed=True)
    file.path.write_bytes(file.path.read_bytes()[:-2000])

    found = exposition.read(InputFile.look(file.path), NOON)

    assert 10_000 < found.samples.height < 20_000
    assert {r.reason for r in found.rejections} <= {
        "cut off: the compressed file ends early",
        "cut off: the last line has no end",
    }


def test_one_series_may_have_many_samples(look, load, store):
    reading = load(exposition, look('m{a="1",b="2"} 1 1000\nm{b="2",a="1"} 2 2000\n'))

    assert reading.loaded == 2
    assert store.value("select count(*) from metric_series") == 1


def test_reads_what_a_real_api_server_printed(recorded, load, store):
    reading = load(exposition, recorded("peak.apiserver.txt"))

    assert (reading.lines, reading.loaded) == (18, 18)
    shed = "select sum(value) from metric_samples join metric_series using (series_id)"
    assert store.value(
        f"{shed} where metric = 'apiserver_flowcontrol_rejected_requests_total'"
    ) == (307 + 166 + 5 + 827)
