from __future__ import annotations

import io
import json
import math
from dataclasses import replace
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubepostmortem.sources import metrics_table
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.metric_labels import NO_LABELS, NO_NAME
from kubepostmortem.sources.source import Target

NOON = datetime(2024, 12, 11, 12)
PODS = ("apiserver_request_total", {"resource": "pods", "verb": "LIST"}, NOON, 7.0)


def samples(found) -> list[tuple]:
    """Metric, labels, time and value of each sample."""
    rows = found.samples.join(found.series, on="series").sort("series", "sampled_at").to_dicts()
    return [
        (r["metric"], {p["key"]: p["value"] for p in r["labels"]}, r["sampled_at"], r["value"])
        for r in rows
    ]


def parquet(frame: pl.DataFrame) -> bytes:
    stream = io.BytesIO()
    frame.write_parquet(stream)
    return stream.getvalue()


LONG = {
    "labels in columns": "time,metric,value,verb,resource\n"
    "2024-12-11T12:00:00Z,apiserver_request_total,7,LIST,pods\n",
    "labels as JSON": "timestamp;name;value;labels\n"
    '1733918400;apiserver_request_total;7;"{""verb"":""LIST"",""resource"":""pods""}"\n',
    "a selector": "value,time,__name__\n"
    '7.0,1733918400000,"apiserver_request_total{verb=""LIST"",resource=""pods""}"\n',
    "the name among the labels": "time,value,labels\n"
    '1733918400,7,"{""__name__"":""apiserver_request_total"",""verb"":""LIST"",'
    '""resource"":""pods""}"\n',
    "both": "Time,Metric,Value,verb,Labels\n"
    '2024-12-11 12:00:00+00:00,apiserver_request_total,7e0,LIST,"{""resource"":""pods""}"',
    "a column per series": 'time,"apiserver_request_total{verb=""LIST"",resource=""pods""}",x:y\n'
    "1733918400,7,\n",
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_reads_every_way_to_write_a_sample(look, target, text):
    file = look(text)

    assert metrics_table.recognises(file)
    found = metrics_table.read(file, target)
    assert (samples(found), found.rejections) == ([PODS], [])


def test_a_table_without_metric_is_named_after_its_file(look, target):
    file = look("Time,verb,Value\n1733918400000,LIST,7\n", "lists.csv.gz")

    assert samples(metrics_table.read(file, target)) == [("lists", {"verb": "LIST"}, NOON, 7.0)]


FRAMES = {
    "labels in columns": {"metric": [PODS[0]], "verb": ["LIST"], "resource": ["pods"]},
    "labels as JSON": {"metric": [PODS[0]], "labels": [json.dumps(PODS[1])]},
    "labels as struct": {"metric": [PODS[0]], "labels": [PODS[1]]},
    "labels as map": {
        "metric": [PODS[0]],
        "labels": [[{"key": key, "value": value} for key, value in PODS[1].items()]],
    },
}
STAMPS = {
    "with a zone": pl.Series([NOON.replace(tzinfo=UTC)]),
    "in another zone": pl.Series([NOON.replace(tzinfo=UTC)]).dt.convert_time_zone("Asia/Tokyo"),
    "seconds": pl.Series([1733918400]),
    "fractions of a second": pl.Series([1733918400.0]),
    "milliseconds": pl.Series([1733918400_000]),
    "nanoseconds": pl.Series([1733918400_000_000_000]),
    "a text": pl.Series(["2024-12-11T12:00:00Z"]),
}


@pytest.mark.parametrize("columns", FRAMES.values(), ids=FRAMES)
@pytest.mark.parametrize("stamps", STAMPS.values(), ids=STAMPS)
def test_reads_long_parquet(look, target, columns, stamps):
    file = look(parquet(pl.DataFrame({"time": stamps, **columns, "value": [7]})))

    assert metrics_table.recognises(file)
    assert samples(metrics_table.read(file, target)) == [PODS]


@pytest.mark.parametrize("order", [("timestamp", "up", "threads"), ("up", "threads", "timestamp")])
def test_reads_wide_parquet(look, target, order):
    columns = {"timestamp": [1733918400, 1733918430], "up": [1, None], "threads": [12.5, math.nan]}
    frame = pl.DataFrame(columns).select(order)

    found = metrics_table.read(look(parquet(frame)), target)

    metrics = [(metric, value) for metric, _, _, value in samples(found)]
    assert metrics[:2] == [("up", 1.0), ("threads", 12.5)]
    assert math.isnan(metrics[2][1])


@pytest.mark.parametrize(("zone", "hour"), [("UTC", 12), ("Europe/Berlin", 11)])
def test_times_of_parquet_without_a_zone_need_one(look, load, target, zone, hour):
    file = look(parquet(pl.DataFrame({"time": [NOON], "metric": ["up"], "value": [1]})))

    reading = load(metrics_table, file)
    found = metrics_table.read(file, replace(target, assume_tz=zone))

    assert (reading.loaded, reading.rejected) == (0, {"time without a zone": 1})
    assert "--assume-tz" in reading.notes
    assert found.samples["sampled_at"].to_list() == [NOON.replace(hour=hour)]


def test_a_missing_value_is_no_number_and_no_zero(look, target):
    found = metrics_table.read(look("time,metric,value\n1733918400,up,\n"), target)

    assert math.isnan(found.samples["value"].item())


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1733918400,,1,{}", NO_NAME),
        ('1733918400,"{a=""b""}",1,', NO_NAME),
        ("1733918400,up,one,", "value is not a number"),
        ("noon,up,1,", "no usable time"),
        (",up,1,", "no usable time"),
        ("2024-12-11 12:00,up,1,", "time without a zone"),
        ("1733918400,up,1,[7]", NO_LABELS),
        ("1733918400,up,1,{", NO_LABELS),
        ("1733918400,up,1,{},x", "more fields than the header names"),
    ],
)
def test_a_bad_row_is_rejected_with_its_line(look, load, row, reason):
    text = f"time,metric,value,labels\n1733918400,up,1,\n{row}\n1733918430,up,1,{{}}\n"

    reading = load(metrics_table, look(text))

    assert (reading.loaded, reading.rejected) == (2, {reason: 1})
    assert reading.rejections[0].line == 3


def test_one_series_has_many_samples(look, load, store):
    rows = "".join(f"{1733918400 + n},up,{n},a\n" for n in range(100))

    reading = load(metrics_table, look(f"time,metric,value,job\n{rows}"))

    assert reading.loaded == 100
    assert store.value("select count(*) from metric_series") == 1


@pytest.mark.parametrize("data", [b"PAR1", b"PAR1" + b"x" * 100 + b"PAR1", b"PAR1" + b"\xff" * 50])
def test_a_damaged_parquet_file_is_one_rejection(look, load, data):
    reading = load(metrics_table, look(data))

    assert [r.reason.partition(":")[0] for r in reading.rejections] == ["damaged Parquet file"]


@settings(deadline=None)
@given(at=st.integers(4, 700))
def test_a_parquet_file_cut_anywhere_never_raises(at, tmp_path_factory):
    whole = parquet(pl.DataFrame({"time": [1733918400], "metric": ["up"], "value": [1.0]}))
    path = tmp_path_factory.mktemp("cut") / "table"
    path.write_bytes(whole[: min(at, len(whole) - 1)])

    assert len(metrics_table.read(InputFile.look(path), Target(None, "prod")).rejections) == 1


STRANGE = {
    "lists": [[1, 2]],
    "structs": [{"a": 1}],
    "bytes": [b"\xff\x00"],
    "dates": [NOON.date()],
    "years beyond ours": pl.Series([2**62]).cast(pl.Datetime("us")),
    "texts": ["a"],
    "truths": [True],
    "nothing": [None],
}


@pytest.mark.parametrize("values", STRANGE.values(), ids=STRANGE)
def test_strange_columns_never_raise(look, load, values):
    known = {"time": [1733918400], "metric": ["up"], "labels": ["{}"], "value": [1]}
    for n, column in enumerate(known):
        frame = pl.DataFrame({**known, column: values})
        assert load(metrics_table, look(parquet(frame), f"long-{n}")).lines == 1
    load(metrics_table, look(parquet(pl.DataFrame({"time": [1733918400], "m": values})), "wide"))
    load(metrics_table, look(parquet(pl.DataFrame({"time": values})), "narrow"))


def test_another_parquet_file_says_what_it_has(look, load):
    reading = load(metrics_table, look(parquet(pl.DataFrame({"name": ["a"], "size": [1]}))))

    assert list(reading.rejected) == [f"{metrics_table.NO_TABLE}; it has name, size"]
