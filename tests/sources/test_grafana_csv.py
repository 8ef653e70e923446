from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime

import pytest

from kubepostmortem.sources import deploy_timeline, grafana_csv
from kubepostmortem.sources.source import Numbered
from kubepostmortem.sources.times import ASK_ZONE
from kubepostmortem.sources.unit_values import factor, is_value

FORMATTED = '"Time","LIST pods","GET leases"\n"2024-12-11 22:53:00","120.4 req/s","410 req/s"\n'


def samples(found) -> list[tuple]:
    """Metric, labels, time and value of each sample."""
    rows = found.samples.join(found.series, on="series").sort("series", "sampled_at").to_dicts()
    return [
        (r["metric"], {p["key"]: p["value"] for p in r["labels"]}, r["sampled_at"], r["value"])
        for r in rows
    ]


def test_local_times_are_read_in_the_zone_that_is_told(look, target):
    found = grafana_csv.read(
        look(FORMATTED, "panel.csv"), replace(target, assume_tz="America/Los_Angeles")
    )

    time = datetime(2024, 12, 12, 6, 53)
    assert samples(found) == [
        ("panel", {"series": "LIST pods"}, time, 120.4),
        ("panel", {"series": "GET leases"}, time, 410.0),
    ]
    assert found.notes == (
        "units read as numbers: req/s (× 1); "
        "series named by their columns are taken as panel, from the file's name"
    )


def test_local_times_without_a_zone_are_rejected_and_say_what_to_do(look, load):
    reading = load(grafana_csv, look(FORMATTED))

    assert (reading.loaded, reading.rejected) == (0, {"time without a zone": 2})
    assert ASK_ZONE in reading.notes
    assert "--assume-tz" in reading.notes
    assert [(r.line, r.excerpt) for r in reading.rejections] == [
        (2, b"2024-12-11 22:53:00,120.4 req/s"),
        (2, b"2024-12-11 22:53:00,410 req/s"),
    ]


def test_the_same_panel_loads_once_its_zone_is_told(look, load, target):
    file = look(FORMATTED)
    load(grafana_csv, file)

    (reading,) = grafana_csv.load([Numbered(2, file)], replace(target, assume_tz="UTC"))

    assert (reading.loaded, reading.rejected) == (2, {})


@pytest.mark.parametrize(
    "stamp", ["1733957580000", "2024-12-11T22:53:00.000Z", "2024-12-11 14:53:00-08:00"]
)
def test_times_that_tell_the_instant_need_no_zone(look, target, stamp):
    found = grafana_csv.read(look(f'"Time","a"\n{stamp},1\n'), target)

    assert found.samples["sampled_at"].to_list() == [datetime(2024, 12, 11, 22, 53)]


@pytest.mark.parametrize(
    ("title", "metric", "labels"),
    [
        ("LIST pods", "panel", {"series": "LIST pods"}),
        ("Value", "panel", {"series": "Value"}),
        ("rate(up[5m])", "panel", {"series": "rate(up[5m])"}),
        ('{verb=""LIST"", resource=""pods""}', "panel", {"resource": "pods", "verb": "LIST"}),
        ('up{job=""a""}', "up", {"job": "a"}),
        ("apiserver_request_total", "apiserver_request_total", {}),
        ('{a=""b"", a=""c""}', "panel", {"series": '{a="b", a="c"}'}),
    ],
)
def test_columns_name_their_series(look, target, title, metric, labels):
    file = look(f'"Time","{title}"\n1733957580000,1\n', "panel.csv.gz")

    ((read, told, *_),) = samples(grafana_csv.read(file, target))

    assert (read, told) == (metric, labels)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("120.4", 120.4),
        ("1.2 K", 1200),
        ("1.5 Mil", 1.5e6),
        ("1.2K req/s", 1200),
        ("2B ops/s", 2e9),
        ("35 ms", 0.035),
        ("2 mins", 120),
        ("12%", 12),
        ("1.5 GiB", 1.5 * 2**30),
        ("3 kB/s", 3000),
        ("250 B", 250),
        ('"1,204"', 1204),
        ("-1e-3", -0.001),
        ("7 pods", 7),
        ("+Inf", math.inf),
        ("-Infinity", -math.inf),
        ("∞", math.inf),
    ],
)
def test_values_are_read_in_base_units(look, target, written, value):
    found = grafana_csv.read(look(f'"Time","a"\n1733957580000,{written}\n'), target)

    assert found.samples["value"].to_list() == [pytest.approx(value)]


@pytest.mark.parametrize("text", ["2024-12-11", "1.2.3", "10.0.0.1:6443", "web", "12:30"])
def test_what_is_no_value(text):
    assert not is_value(text)


def test_units_beyond_ours_change_nothing():
    assert factor("furlongs") == 1


def test_gaps_are_no_samples_and_texts_are_rejected(look, load):
    text = '"Time","a","b"\n1733957580000,,null\n\n1733957610000,1,down\n,3,\n'

    reading = load(grafana_csv, look(text))

    assert (reading.lines, reading.loaded) == (3, 1)
    assert [(r.line, r.reason) for r in reading.rejections] == [
        (5, "no usable time"),
        (4, "value is not a number"),
    ]


def test_reads_what_excel_is_given(look, target):
    file = look('\ufeffsep=;\r\n"Time";"a,b"\r\n"1733957580000";"1"\r\n')

    assert grafana_csv.recognises(file)
    ((_, labels, _, value),) = samples(grafana_csv.read(file, target))
    assert (labels, value) == ({"series": "a,b"}, 1)


def test_a_header_may_be_longer_than_the_head(look, target):
    titles = [f'"{{verb=""LIST"", resource=""resource-{n:050}""}}"' for n in range(1000)]
    file = look(",".join(['"Time"', *titles]) + f"\n1733957580000{',1' * 1000}\n")

    assert grafana_csv.recognises(file)
    assert grafana_csv.read(file, target).samples.height == 1000


def test_a_second_table_is_not_mixed_into_the_first(look, load):
    text = '"Time","a"\n1733957580000,1\n\n"Time","b"\n1733957580000,2\n'

    reading = load(grafana_csv, look(text))

    assert (reading.loaded, reading.rejected) == (1, {grafana_csv.SECOND_TABLE: 2})
    assert [r.line for r in reading.rejections] == [4, 5]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("1733957610000,1,2\n", "more fields than the header names"),
        ("1733957610000", "cut off: the last line has no end"),
        ('1733957610000,"1', "cut off: the last line has no end"),
    ],
)
def test_damaged_rows_are_rejected(look, load, rows, reason):
    reading = load(grafana_csv, look(f'"Time","a"\n1733957580000,1\n{rows}'))

    assert (reading.loaded, reading.rejected) == (1, {reason: 1})
    assert reading.rejections[0].line == 3


def test_a_stray_quote_is_one_rejection(look, load):
    reading = load(grafana_csv, look('"Time","a"\n1733957580000,"1"2\n3,4\n'))

    assert (reading.lines, len(reading.rejections)) == (1, 1)


def test_deploys_stay_deploys(look):
    assert not grafana_csv.recognises(look("Time,App,Version\n2024-12-11T22:53:00Z,web,1\n"))
    assert deploy_timeline.recognises(look("Time,App,Version\n2024-12-11T22:53:00Z,web,1\n"))
