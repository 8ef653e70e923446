from __future__ import annotations

import json
import math
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubepostmortem.sources import prometheus_answers, prometheus_api
from kubepostmortem.sources.files import InputFile

PODS = {"__name__": "apiserver_request_total", "verb": "LIST", "resource": "pods"}


def matrix(*series: dict, **more: object) -> str:
    data = {"resultType": "matrix", "result": list(series)}
    return json.dumps({"status": "success", "data": data, **more})


def test_reads_each_sample_of_a_matrix(look, load, store):
    answer = matrix({"metric": PODS, "values": [[1733957580, "1204"], [1733957610.5, "9120"]]})

    reading = load(prometheus_api, look(answer))

    assert (reading.lines, reading.loaded) == (2, 2)
    assert reading.last_at == datetime(2024, 12, 11, 22, 53, 30, 500_000)
    (series,) = store.rows("from metric_series")
    assert series["metric"] == "apiserver_request_total"
    assert (
        store.value("select labels['verb'] || labels['resource'] from metric_series") == "LISTpods"
    )
    assert store.rows("select value from metric_samples order by sampled_at") == [
        {"value": 1204.0},
        {"value": 9120.0},
    ]


def test_reads_a_vector_as_one_sample_per_series(look, target):
    result = [{"metric": PODS, "value": [1733957580, "7"]}]
    answer = json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}})

    found = prometheus_api.read(look(answer), target)

    assert found.samples["value"].to_list() == [7.0]


@pytest.mark.parametrize(
    ("written", "value"), [("NaN", math.nan), ("+Inf", math.inf), ("-Inf", -math.inf)]
)
def test_keeps_values_that_are_no_finite_numbers(look, target, written, value):
    answer = matrix({"metric": PODS, "values": [[1733957580, written]]})

    (read,) = prometheus_api.read(look(answer), target).samples["value"]

    assert read == value or (math.isnan(read) and math.isnan(value))


def test_series_without_a_name_are_named_after_the_file(look, load, store):
    answer = matrix({"metric": {"verb": "LIST"}, "values": [[1733957580, "1"]]})

    reading = load(prometheus_api, look(answer, "apiserver_request_total.json.gz", packed=True))

    assert store.value("select metric from metric_series") == "apiserver_request_total"
    assert "apiserver_request_total, from the file's name" in reading.notes


NATIVE = {"count": "6", "sum": "9.5", "buckets": [[3, "-0.5", "0.5", "2"], [0, "1", "2", "4"]]}


@pytest.mark.parametrize(
    ("kind", "series"),
    [
        ("matrix", {"metric": PODS, "histograms": [[1733957580, NATIVE]]}),
        ("vector", {"metric": PODS, "histogram": [1733957580, NATIVE]}),
    ],
)
def test_reads_a_native_histogram_as_classic_series(look, load, store, kind, series):
    answer = {"status": "success", "data": {"resultType": kind, "result": [series]}}

    reading = load(prometheus_api, look(json.dumps(answer)))

    assert (reading.lines, reading.loaded, reading.rejected) == (5, 5, {})
    assert reading.notes == "native histograms read as _count, _sum and _bucket: 1"
    assert store.frame(
        "select metric, labels['le'], value from metric_samples join metric_series using "
        "(series_id) where labels['verb'] = 'LIST' order by metric, value"
    ).rows() == [
        ("apiserver_request_total_bucket", "0.5", 2),
        ("apiserver_request_total_bucket", "2", 6),
        ("apiserver_request_total_bucket", "+Inf", 6),
        ("apiserver_request_total_count", None, 6),
        ("apiserver_request_total_sum", None, 9.5),
    ]


def test_a_series_may_turn_from_a_number_into_a_histogram(look, load, store):
    series = {
        "metric": PODS,
        "values": [[1733957580, "3"]],
        "histograms": [[1733957610, NATIVE], [1e300, NATIVE]],
    }

    reading = load(prometheus_api, look(matrix(series)))

    assert (reading.loaded, reading.rejected) == (6, {prometheus_api.NO_SAMPLE: 1})


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (
            {"status": "error", "errorType": "bad_data", "error": "parse error", "data": None},
            "the API answered bad_data: parse error",
        ),
        (
            {"status": "success", "data": {"resultType": "scalar", "result": [1733957580, "1"]}},
            "a scalar: the answer does not tell of which series",
        ),
        ({"status": "success", "data": {"resultType": "matrix"}}, "no query results"),
        (["data"], "no query results"),
    ],
)
def test_answers_without_series_are_rejected_with_the_reason(look, load, answer, reason):
    reading = load(prometheus_api, look(json.dumps(answer)))

    assert (reading.lines, reading.rejected) == (1, {reason: 1})


@pytest.mark.parametrize(
    "series",
    [
        {"metric": PODS, "values": [[1733957580]]},
        {"metric": PODS, "values": "all"},
        {"metric": None, "values": []},
        {"values": [[1733957580, "1"]]},
        {"metric": PODS, "values": [[10**400, "1"]]},
        {"metric": PODS, "histograms": [[1733957580, {"count": "2"}]]},
        {"metric": PODS, "histograms": [[1733957580, {**NATIVE, "buckets": [[0, "1"]]}]]},
        7,
    ],
)
def test_what_is_no_series_is_rejected_and_the_others_are_read(look, load, series):
    good = {"metric": PODS, "values": [[1733957580, "1"]]}

    reading = load(prometheus_api, look(matrix(series, good)))

    assert (reading.loaded, reading.rejected) == (1, {prometheus_answers.NO_SERIES: 1})


@pytest.mark.parametrize("pair", [[1733957580, "many"], [1e300, "1"], [-5, "1"]])
def test_a_sample_without_time_or_value_is_rejected(look, load, pair):
    reading = load(prometheus_api, look(matrix({"metric": PODS, "values": [pair, [1, "2"]]})))

    assert (reading.loaded, reading.rejected) == (1, {prometheus_api.NO_SAMPLE: 1})


def test_an_empty_result_is_no_error(look, load):
    reading = load(prometheus_api, look(matrix()))

    assert (reading.lines, reading.notes) == (0, None)


def test_warnings_of_the_api_are_noted(look, load):
    reading = load(prometheus_api, look(matrix(warnings=["partial response"])))

    assert reading.notes == "the API warned: partial response"


def test_several_answers_in_one_file_are_read(look, load):
    first = matrix({"metric": PODS, "values": [[1733957580, "1"]]})
    second = matrix({"metric": PODS, "values": [[1733957610, "2"]]})

    assert load(prometheus_api, look(f"{first}\n{second}\n")).loaded == 2


@settings(deadline=None)
@given(at=st.integers(0, 200))
def test_a_cut_answer_is_one_rejection(at, tmp_path_factory):
    whole = matrix({"metric": PODS, "values": [[1733957580, "1204"], [1733957610, "9120"]]})
    path = tmp_path_factory.mktemp("cut") / "answer.json"
    path.write_text(whole[: min(at, len(whole) - 1)])

    found = prometheus_api.read(InputFile.look(path), None)

    assert found.samples.is_empty()
    assert [r.reason for r in found.rejections] == ["cut off: the JSON does not end"] * bool(at)


def test_a_cut_gzip_file_is_one_rejection(look, load):
    file = look(matrix({"metric": PODS, "values": [[n, "1"] for n in range(9999)]}), packed=True)
    file.path.write_bytes(file.path.read_bytes()[:-200])

    reading = load(prometheus_api, InputFile.look(file.path))

    assert reading.rejected == {"cut off: the JSON does not end": 1}


def test_reads_what_a_real_prometheus_answered(recorded, load, store):
    reading = load(prometheus_api, recorded("apiserver_request_total.json"))

    assert (reading.lines, reading.loaded) == (16, 16)
    assert reading.first_at == datetime(2026, 11, 24, 0, 45, 41, 984_000)
    shed = "select max(value) from metric_samples join metric_series using (series_id)"
    assert store.value(f"{shed} where labels['code'] = '429'") == 52
