from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from io import BytesIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubepostmortem.sources import apiserver_log
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.line_pieces import line_pieces
from kubepostmortem.sources.source import Numbered, Target

HEADER = "I1211 22:53:09.871301       1 httplog.go:132] "
LOGGED_AT = datetime(2024, 12, 11, 22, 53, 9, 871301)
PAIRS = {
    "verb": "LIST",
    "URI": "/api/v1/pods?limit=500",
    "latency": "2.766708s",
    "userAgent": "node-agent/v0.0.0 (linux/amd64)",
    "audit-ID": "a-1",
    "srcIP": "10.1.4.42:51344",
    "apf_pl": "workload-low",
    "apf_fs": "service-accounts",
    "apf_iseats": 10,
    "apf_fseats": 0,
    "apf_additionalLatency": "0s",
    "apf_init_latency": "1.204s",
    "apf_execution_time": "1.56s",
    "resp": 200,
}
OTHER = "I1211 22:53:10.000001       1 trace.go:236] Trace[1]: List\n"


def http(header: str = HEADER, **pairs: object) -> str:
    """A line as klog writes it; a pair that is None is left out."""
    told = {k: v for k, v in (PAIRS | pairs).items() if v is not None}
    words = [f"{k}={json.dumps(v, ensure_ascii=False)}" for k, v in told.items()]
    return f'{header}"HTTP" {" ".join(words)}\n'


def as_json(**fields: object) -> str:
    """A line of --logging-format=json."""
    head = {"ts": 1733957589871.301, "caller": "httplog/httplog.go:132", "msg": "HTTP", "v": 3}
    return json.dumps(head | PAIRS | fields) + "\n"


def docker(line: str) -> str:
    wrapped = {"log": line, "stream": "stderr", "time": "2024-12-11T22:53:09.871400512Z"}
    return json.dumps(wrapped, separators=(",", ":")) + "\n"


WRITTEN = {
    "klog": http(),
    "klog with Windows line ends": http().replace("\n", "\r\n"),
    "a container runtime": f"2024-12-11T22:53:09.871400512Z stderr F {http()}",
    "a container runtime with a zone": f"2024-12-11T23:53:09.8714+01:00 stdout F {http()}",
    "kubectl logs --timestamps": f"2024-12-11T22:53:09.871400512Z {http()}",
    "kubectl logs --prefix": f"[pod/kube-apiserver-a/kube-apiserver] {http()}",
    "docker": docker(http()),
    "journald": f"Dec 11 22:53:09 master-0 kube-apiserver[1]: {http()}",
    "journald with ISO times": f"2024-12-11T22:53:09+0000 master-0 kube-apiserver[1]: {http()}",
    "JSON": as_json(),
    "JSON of a container runtime": f"2024-12-11T22:53:09.871400512Z stderr F {as_json()}",
    "JSON of docker": docker(as_json()),
}


def written_at(file: InputFile, year: int, month: int = 12, day: int = 20) -> InputFile:
    """The file as if it had last been written on this day."""
    seconds = datetime(year, month, day, tzinfo=UTC).timestamp()
    os.utime(file.path, (seconds, seconds))
    return InputFile.look(file.path)


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_a_request_is_read_whatever_wrote_the_line(look, load, store, text):
    file = written_at(look(text), 2024)

    assert apiserver_log.recognises(file)
    load(apiserver_log, file)

    assert store.rows("select * exclude ingest_id from http_log") == [
        {
            "cluster": "prod",
            "logged_at": LOGGED_AT,
            "audit_id": "a-1",
            "verb": "LIST",
            "uri": "/api/v1/pods?limit=500",
            "latency_ms": 2766.708,
            "user_agent": "node-agent/v0.0.0 (linux/amd64)",
            "source_ip": "10.1.4.42",
            "code": 200,
            "priority_level": "workload-low",
            "flow_schema": "service-accounts",
            "initial_seats": 10,
            "final_seats": 0,
            "additional_latency_ms": 0.0,
            "queue_wait_ms": 1204.0,
            "execution_ms": 1560.0,
        }
    ]


@pytest.mark.parametrize(
    ("pairs", "column", "expected"),
    [
        ({"userAgent": 'x" resp=500 audit-ID="b'}, "user_agent", 'x" resp=500 audit-ID="b'),
        ({"userAgent": "x apf_pl=exempt resp=429 "}, "code", 200),
        ({"userAgent": 'x" apf_pl="exempt'}, "priority_level", "workload-low"),
        ({"userAgent": "a\\"}, "user_agent", "a\\"),
        ({"userAgent": ""}, "user_agent", None),
        ({"URI": '/api?q="%20\\"'}, "uri", '/api?q="%20\\"'),
        ({"audit-ID": "not a UUID: '; drop table http_log"}, "audit_id", None),
        ({"audit-ID": ""}, "audit_id", None),
        ({"audit-ID": None}, "audit_id", None),
        ({"srcIP": "[fd00::1]:443"}, "source_ip", "fd00::1"),
        ({"latency": "1m2.5s"}, "latency_ms", 62_500.0),
        ({"resp": None, "hijacked": True}, "code", None),
        ({"apf_pl": None, "apf_iseats": None}, "initial_seats", None),
        ({"resp": 500, "statusStack": "goroutine 1 resp=200"}, "code", 500),
    ],
)
@pytest.mark.parametrize("line", [http, as_json], ids=["text", "JSON"])
def test_values_are_what_was_logged_and_nobody_can_forge_them(
    look, load, store, line, pairs, column, expected
):
    if column == "audit_id" and pairs["audit-ID"]:
        expected = pairs["audit-ID"]
    given = {k: v for k, v in pairs.items() if v is not None or line is http}

    load(apiserver_log, look(line(**given)))

    if line is http or all(value is not None for value in pairs.values()):
        assert store.value(f"select {column} from http_log") == expected


@pytest.mark.parametrize(
    ("header", "year", "month", "day", "expected"),
    [
        ("1211 22:53:09.8", 2024, 12, 11, datetime(2024, 12, 11, 22, 53, 9, 800_000)),
        ("1211 22:53:09.8", 2024, 12, 10, datetime(2023, 12, 11, 22, 53, 9, 800_000)),
        ("1211 22:53:09.8", 2025, 2, 1, datetime(2024, 12, 11, 22, 53, 9, 800_000)),
        ("0101 00:00:00.0", 2024, 12, 31, datetime(2025, 1, 1)),
        ("0229 00:00:01.0", 2025, 1, 15, datetime(2024, 2, 29, 0, 0, 1)),
    ],
)
def test_the_year_is_the_last_one_that_the_file_allows(
    look, load, store, header, year, month, day, expected
):
    file = written_at(look(http(f"I{header} 1 httplog.go:132] ")), year, month, day)

    reading = load(apiserver_log, file)

    assert store.value("select logged_at from http_log") == expected
    assert reading.notes.startswith(
        "1 times have neither year nor zone: taken as UTC, the last before"
    )


def test_a_given_time_tells_the_year_better_than_the_file(look, target):
    file = written_at(look(http()), 2026)
    given = Target(target.store, "prod", taken_at=datetime(2021, 12, 12))

    (reading,) = apiserver_log.load([Numbered(1, file)], given)

    assert reading.first_at == reading.last_at == LOGGED_AT.replace(year=2021)
    assert "2021-12-12T00:00:00Z, as given" in reading.notes


@pytest.mark.parametrize("zone", [-8, 0, 5.75, 14])
def test_the_runtime_tells_the_zone_that_klog_leaves_out(look, load, store, zone):
    minutes = int(zone * 60)
    local = datetime(2025, 1, 1, 0, 0, 1) if zone > 0 else datetime(2024, 12, 31, 23, 59, 59)
    stamp = local.strftime("I%m%d %H:%M:%S.000000")
    utc = datetime.fromtimestamp(local.replace(tzinfo=UTC).timestamp() - minutes * 60, UTC)
    line = f"{utc:%Y-%m-%dT%H:%M:%S}.004Z stderr F {http(stamp + ' 1 httplog.go:132] ')}"

    reading = load(apiserver_log, look(line))

    assert store.value("select logged_at from http_log") == utc.replace(tzinfo=None)
    assert reading.notes is None


def test_other_lines_are_counted_and_starts_are_named(look, load):
    start = "I1211 22:50:00.000000       1 server.go:161] Version: v1.33.2\n"
    file = written_at(look(start + http() + OTHER + "\tgoroutine 1 [running]:\n\n"), 2024)

    reading = load(apiserver_log, file)

    assert (reading.lines, reading.loaded, reading.filtered) == (4, 1, 3)
    assert "3 lines other than HTTP left out" in reading.notes
    assert "the server started at 2024-12-11T22:50:00Z (v1.33.2)" in reading.notes


def test_a_log_without_requests_says_how_to_get_them(look, load):
    text = "I1211 22:50:00.000000       1 apf_controller.go:374] Starting API Priority\n"

    assert apiserver_log.recognises(look(text))
    reading = load(apiserver_log, look(text))

    assert (reading.loaded, reading.filtered) == (0, 1)
    assert "no HTTP lines: kube-apiserver writes them from -v=3 on" in reading.notes


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f'{HEADER}"HTTP" verb="LIST" nothing else\n', "an HTTP line of another form"),
        (http("I1332 22:53:09.871301 1 httplog.go:132] "), "no usable time"),
        (as_json(ts=-1), "no usable time"),
        (as_json(URI=None), "an HTTP line of another form"),
        (http().rstrip("\n"), "cut off: the last line has no end"),
    ],
)
def test_a_request_that_cannot_be_used_is_rejected_with_its_place(look, load, text, reason):
    reading = load(apiserver_log, look(http() + OTHER + text))

    (rejection,) = reading.rejections
    assert (rejection.reason, rejection.line) == (reason, 3)
    assert rejection.byte_offset == len(http() + OTHER)
    assert rejection.excerpt.strip() == text.strip().encode()


def test_requests_told_twice_are_duplicates(look, load, store):
    other = {"audit-ID": "a-2"}
    first = load(apiserver_log, look(http() + http(), "first"))
    again = load(apiserver_log, look(http(**other) + http(), "again"))

    assert (first.loaded, first.duplicates) == (1, 1)
    assert (again.loaded, again.duplicates) == (1, 1)
    assert store.value("select count(*) from http_log") == 2


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.95])
def test_a_file_cut_anywhere_is_counted_and_never_raises(look, load, packed, part):
    whole = look(http() * 3, packed=packed).path.read_bytes()

    reading = load(apiserver_log, look(whole[: int(part * len(whole))], "cut"))

    assert reading.loaded <= 1
    assert reading.rejections or not packed


@given(text=st.text(max_size=300), size=st.integers(1, 50))
def test_pieces_are_the_whole_file_in_lines(text, size):
    data = text.encode()

    found = list(line_pieces(BytesIO(data), size))

    assert b"".join(piece.data for piece in found) == data
    assert [piece.bytes_before for piece in found] == [
        sum(len(before.data) for before in found[:place]) for place in range(len(found))
    ]
    assert [piece.lines_before for piece in found] == [
        data[: piece.bytes_before].count(b"\n") for piece in found
    ]


def test_small_pieces_change_nothing(look, load, store, monkeypatch):
    text = "".join(http(**{"audit-ID": f"a-{i}"}) + OTHER for i in range(20)) + "x" * 900 + "\n"
    monkeypatch.setattr(apiserver_log, "line_pieces", lambda stream: line_pieces(stream, 700))

    reading = load(apiserver_log, look(text))

    assert (reading.lines, reading.loaded, reading.rejected) == (41, 20, {})
    assert store.value("select count(distinct audit_id) from http_log") == 20


def test_reads_the_line_of_the_field_guide(recorded, load, store):
    reading = load(apiserver_log, recorded("formats/apiserver_httplog.txt"))

    assert reading.loaded == 1
    assert store.value("select flow_schema from http_log") == "service-accounts"


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    opening=st.sampled_from([*WRITTEN.values(), OTHER]),
    at=st.integers(0, 600),
    junk=st.binary(max_size=30) | st.sampled_from([b'"', b"\\", b"\0", b'{"log":"', b"\xff"]),
)
def test_no_damage_raises_and_every_line_is_counted(look, load, opening, at, junk):
    data = opening.encode()

    reading = load(apiserver_log, look(data[:at] + junk + data[at:] + data))

    assert reading.lines >= 1
