from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

import pytest
import yaml

from kubepostmortem.sources import deploy_timeline
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.source import Numbered

HEADER = "time,service,version"
ROW = "2024-12-11T14:51:00-08:00,node-agent,0.9.0"


def deploys(store) -> list[dict]:
    return store.rows("from deploys order by applied_at, service")


def test_reads_a_row_with_all_columns(look, load, store):
    columns = "time,end,component,kind,namespace,version,actor,cluster,source,note,status"
    row = (
        "2024-12-11T14:51:00-08:00,2024-12-11T15:20:00-08:00,node-agent,DaemonSet,telemetry,0.9.0,"
        "alice,prod,manual,telemetry rollout,done"
    )

    load(deploy_timeline, look(f"{columns}\n{row}\n"))

    (deploy,) = deploys(store)
    assert deploy == {
        "cluster": "prod",
        "applied_at": datetime(2024, 12, 11, 22, 51),
        "ends_at": datetime(2024, 12, 11, 23, 20),
        "namespace": "telemetry",
        "service": "node-agent",
        "kind": "DaemonSet",
        "version": "0.9.0",
        "actor": "alice",
        "action": "telemetry rollout",
        "status": "done",
        "reported_by": "deploy timeline",
        "ingest_id": 1,
    }


@pytest.mark.parametrize("time", deploy_timeline.TIME)
@pytest.mark.parametrize("service", [*deploy_timeline.SERVICE, "name"])
def test_knows_the_usual_names_of_columns(look, load, store, time, service):
    file = look(f"{time.upper()}, {service} ,revision\n2024-12-11T22:51:00Z, node-agent, 12\n")

    assert deploy_timeline.recognises(file)
    load(deploy_timeline, file)
    ((applied_at, named, version),) = store.frame(
        "select applied_at, service, version from deploys"
    ).iter_rows()
    assert (applied_at, named, version) == (datetime(2024, 12, 11, 22, 51), "node-agent", "12")


@pytest.mark.parametrize("comma", [",", ";", "\t"])
def test_knows_the_usual_separators_and_quotes(look, load, store, comma):
    line = f'2024-12-11T22:51:00Z{comma}"a{comma} ""b"""{comma}1'

    load(deploy_timeline, look("\ufeff" + HEADER.replace(",", comma) + f"\r\n{line}\r\n"))

    assert deploys(store)[0]["service"] == f'a{comma} "b"'


@pytest.mark.parametrize(
    ("stamp", "read"),
    [
        ("2024-12-11T22:51:02.123456789Z", datetime(2024, 12, 11, 22, 51, 2, 123456)),
        ("2024-12-11 14:51:02.123456 -0800 PST", datetime(2024, 12, 11, 22, 51, 2, 123456)),
        ("2024-12-11 22:51:02 UTC", datetime(2024, 12, 11, 22, 51, 2)),
        ("2024-12-11 22:51:02+0000", datetime(2024, 12, 11, 22, 51, 2)),
        ("1733957462", datetime(2024, 12, 11, 22, 51, 2)),
        ("1733957462.25", datetime(2024, 12, 11, 22, 51, 2, 250_000)),
        ("1733957462000", datetime(2024, 12, 11, 22, 51, 2)),
    ],
)
def test_reads_every_time_that_says_its_zone(look, load, store, stamp, read):
    load(deploy_timeline, look(f"{HEADER}\n{stamp},node-agent,1\n"))

    assert deploys(store)[0]["applied_at"] == read


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2024-12-11 14:51:00,node-agent,1", "time without a zone"),
        ("2024-12-11,node-agent,1", "time without a zone"),
        ("2024-12-11 14:51:00 PST,node-agent,1", "no usable time"),
        ("yesterday,node-agent,1", "no usable time"),
        ("0001-01-01T00:00:00Z,node-agent,1", "no usable time"),
        ("9999-12-31T23:59:59-08:00,node-agent,1", "no usable time"),
        (",node-agent,1", "no time given"),
        ("2024-12-11T22:51:00Z,,1", "no service named"),
        ("2024-12-11T22:51:00Z,node-agent,1,2", "more fields than the header names"),
    ],
)
def test_a_row_that_cannot_be_used_is_rejected_with_its_place(look, load, row, reason):
    (rejection,) = load(deploy_timeline, look(f"{HEADER}\n{ROW}\n\n{row}\n")).rejections

    assert (rejection.reason, rejection.excerpt) == (reason, f"{row}\n".encode())
    assert (rejection.line, rejection.byte_offset) == (4, len(HEADER) + len(ROW) + 3)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_knows_every_end_of_line(look, load, store, end):
    file = look(end.join([HEADER, ROW, ROW, ""]))

    assert deploy_timeline.recognises(file)
    reading = load(deploy_timeline, file)

    assert (reading.loaded, reading.duplicates) == (1, 1)


def test_trailing_columns_may_be_left_out(look, load, store):
    load(deploy_timeline, look(f"{HEADER},note\n2024-12-11T22:51:00Z,node-agent\n"))

    assert deploys(store)[0]["version"] is None


def test_a_cut_last_row_is_rejected(look, load):
    reading = load(deploy_timeline, look(f"{HEADER}\n{ROW}\n2024-12-11T14:5"))

    assert reading.loaded == 1
    assert reading.rejected == {"cut off: the last line has no end": 1}


def test_a_quote_without_end_rejects_the_rest(look, load):
    reading = load(deploy_timeline, look(f'{HEADER}\n{ROW}\n"2024\n{ROW}\n{ROW}\n'))

    assert (reading.lines, reading.loaded) == (2, 1)
    assert reading.rejections[0].reason == "not CSV: unexpected end of data"


def test_kind_says_what_it_is_or_what_was_done(look, load, store):
    rows = ["2024-12-11T22:51:00Z,a,DaemonSet", "2024-12-11T22:52:00Z,a,rollback"]

    load(deploy_timeline, look("\n".join(["time,app,kind", *rows, ""])))

    told = [(deploy["kind"], deploy["action"]) for deploy in deploys(store)]
    assert told == [("DaemonSet", None), (None, "rollback")]


def test_an_end_that_cannot_be_used_is_left_out_and_noted(look, load, store):
    row = "2024-12-11T22:51:00Z,running,node-agent"

    reading = load(deploy_timeline, look(f"time,end,service\n{row}\n"))

    assert deploys(store)[0]["ends_at"] is None
    assert reading.notes == "1 end times without a usable time and zone left out"


def test_a_file_about_another_cluster_is_noted(look, load, store):
    row = "2024-12-11T22:51:00Z,node-agent,staging"

    reading = load(deploy_timeline, look(f"time,service,cluster\n{row}\n"))

    assert reading.notes == "the file names cluster staging; kept under prod"
    assert deploys(store)[0]["cluster"] == "prod"


RECORDS = [
    {"time": "2024-12-11T22:51:00Z", "service": "node-agent", "version": 12, "cluster": "prod"},
    {"time": "2024-12-11T22:52:00Z", "service": "web", "version": None, "cluster": "prod"},
]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(RECORDS),
        json.dumps(RECORDS, indent=2),
        "\n".join(map(json.dumps, RECORDS)) + "\n",
        "\n".join(json.dumps(record, indent=2) for record in RECORDS),
        *(json.dumps({"total": 2, wrapper: RECORDS}) for wrapper in deploy_timeline.WRAPPERS),
        yaml.safe_dump(RECORDS),
        yaml.safe_dump({"deploys": RECORDS}),
        yaml.safe_dump_all(RECORDS),
    ],
)
def test_reads_json_and_yaml_as_an_array_and_one_after_another(look, load, store, text):
    file = look(text)

    assert deploy_timeline.recognises(file)
    assert load(deploy_timeline, file).loaded == 2
    assert [deploy["version"] for deploy in deploys(store)] == ["12", None]


def test_a_bad_json_line_costs_only_itself(look, load):
    first, second = map(json.dumps, RECORDS)

    reading = load(deploy_timeline, look(f"{first}\n{first[:-9]}\n{second}\n"))

    assert (reading.lines, reading.loaded) == (3, 2)
    (rejection,) = reading.rejections
    assert (rejection.line, rejection.byte_offset) == (2, len(first) + 1)


def test_yaml_keeps_a_version_as_it_is_written(look, load, store):
    load(deploy_timeline, look("- time: 2024-12-11T22:51:00Z\n  app: web\n  version: 1.10\n"))

    assert deploys(store)[0]["version"] == "1.10"


def test_json_values_that_are_no_objects_are_rejected(look, load):
    reading = load(deploy_timeline, look(json.dumps([*RECORDS, 7, None])))

    assert (reading.loaded, reading.rejected) == (2, {"not an object": 2})


def test_csv_and_json_of_the_same_deploys_are_the_same_deploys(recorded, load, store):
    first = load(deploy_timeline, recorded("cicd_deployments.csv"))
    second = load(deploy_timeline, recorded("cicd_deployments.json"))

    assert (first.loaded, first.duplicates) == (6, 0)
    assert (second.loaded, second.duplicates) == (0, 6)
    assert store.value("select count(*) from deploys") == 6
    assert store.value("select max(action) from deploys") == "rollout wave 1 (pool-1)"


def test_cut_json_is_one_rejection(recorded, load, look):
    whole = recorded("cicd_deployments.json").path.read_bytes()

    reading = load(deploy_timeline, look(whole[:-40]))

    assert (reading.lines, reading.rejected) == (1, {"cut off: the JSON does not end": 1})


def test_a_lone_surrogate_does_not_reach_the_database(look, load, store):
    text = r'[{"time": "2024-12-11T22:51:00Z", "service": "a\ud83d", "note": "\ud83d\ude00"}]'

    assert load(deploy_timeline, look(text)).loaded == 1
    assert store.rows("select service, action from deploys") == [{"service": "a?", "action": "😀"}]


def test_a_cut_gzip_file_gives_the_rows_that_it_holds(look, load):
    rows = "".join(f"2024-12-11T22:51:00Z,s{n * n * 7919 % 100_003},1\n" for n in range(9999))
    file = look(f"{HEADER}\n{rows}", packed=True)
    file.path.write_bytes(file.path.read_bytes()[:-900])

    reading = load(deploy_timeline, InputFile.look(file.path))

    assert reading.loaded > 5000
    assert reading.rejected == {"cut off: the compressed file ends early": 1}


def test_json_in_a_gzip_file_without_its_end_is_read_and_reported(look, load):
    file = look(json.dumps(RECORDS), packed=True)
    file.path.write_bytes(file.path.read_bytes()[:-8])

    reading = load(deploy_timeline, InputFile.look(file.path))

    assert reading.loaded == 2
    assert reading.rejected == {"cut off: the compressed file ends early": 1}


def test_a_zone_may_be_assumed(look, target, store):
    file = look("time,end,service\n2024-12-11 14:51:00,2024-12-11 15:20:00,web\n")

    deploy_timeline.load([Numbered(1, file)], replace(target, assume_tz="America/Los_Angeles"))

    (row,) = deploys(store)
    assert row["applied_at"] == datetime(2024, 12, 11, 22, 51)
    assert row["ends_at"] == datetime(2024, 12, 11, 23, 20)
