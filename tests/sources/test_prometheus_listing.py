from __future__ import annotations

import json

import pytest

from kubepostmortem.sources import prometheus_listing

UP = {"__name__": "up", "job": "apiserver"}
ALERT = {
    "labels": {"alertname": "KubeAPIDown"},
    "state": "firing",
    "activeAt": "2024-12-11T22:53:00Z",
}
GROUPS = [{"name": "a", "rules": [{"query": "up", "type": "recording"}] * 2}, {"name": "b"}]


def answer(data: object) -> str:
    return json.dumps({"status": "success", "data": data})


@pytest.mark.parametrize(
    ("data", "entries"),
    [([UP, UP, UP], 3), ([], 0), ({"alerts": [ALERT]}, 1), ({"groups": GROUPS}, 2)],
)
def test_entries_are_counted_and_left_out(look, load, store, data, entries):
    file = look(answer(data))

    reading = load(prometheus_listing, file)

    assert prometheus_listing.recognises(file)
    assert (reading.lines, reading.loaded, reading.filtered) == (entries, 0, entries)
    assert reading.notes == (prometheus_listing.NOTE if entries else None)
    assert not store.has("metric_series")


@pytest.mark.parametrize("data", ["up", {"alerts": None}, {"groups": [{"rules": 7}, 7]}, {}, None])
def test_nothing_in_the_answer_raises(look, load, data):
    load(prometheus_listing, look(answer(data)))


def test_a_cut_answer_is_one_rejection(look, load):
    reading = load(prometheus_listing, look(answer([UP, UP])[:-20]))

    assert reading.rejected == {"cut off: the JSON does not end": 1}


def test_names_tell_which_metrics_are_absent(look, load):
    there = ["apiserver_request_total", "etcd_object_counts", "foreign"]

    notes = load(prometheus_listing, look(answer(there))).notes

    absent = notes.partition("metrics that are not there: ")[2].split(", ")
    assert "up" in absent
    assert not {"apiserver_request_total", "apiserver_resource_objects", "foreign"} & {*absent}


def test_values_of_another_label_say_nothing_of_metrics(look, load):
    assert load(prometheus_listing, look(answer(["kubelet", "dns"]))).notes == (
        prometheus_listing.NOTE
    )
