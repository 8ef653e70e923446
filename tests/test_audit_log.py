"""Audit logs become one row per request, and every line is accounted for."""

from __future__ import annotations

import gzip
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import pairwise, permutations
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import Read
from kubepostmortem.errors import NoUsableInput
from kubepostmortem.ingest import Outcome, ingest
from kubepostmortem.sources.audit_log import apiserver_of
from kubepostmortem.store import Store
from planted import KUBELET, Event, at, event, lines, request, write_log

WATCH = ("RequestReceived", "ResponseStarted", "ResponseComplete")
OTEL = "system:serviceaccount:telemetry:otel-agent"

few = settings(
    max_examples=10, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck)
)


def ids(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"


def requests(store: Store) -> list[dict[str, Any]]:
    """All rows, but for the file that they came from."""
    return store.rows("select * exclude ingest_id from requests order by audit_id, received_at")


def one(store: Store) -> dict[str, Any]:
    (row,) = store.rows("from requests")
    return row


def counts(outcome: Outcome) -> tuple[int, int, int, int]:
    """Lines, loaded, duplicates, rejected; nothing of an audit log is filtered."""
    reading = outcome.reading
    found = (reading.lines, reading.loaded, reading.duplicates, sum(reading.rejected.values()))
    assert reading.filtered == 0
    assert found[0] == sum(found[1:])
    return found


# Stages


def test_stages_in_any_order_make_one_row(store: Store, read: Read) -> None:
    orders = list(permutations(range(3)))
    stages = [request(ids(i), stages=WATCH, verb="watch", took=5) for i in range(len(orders))]
    outcome = read([stages[i][stage] for i, order in enumerate(orders) for stage in order])
    assert counts(outcome) == (18, 18, 0, 0)
    assert len(requests(store)) == 6
    for row in requests(store):
        assert (row["stage"], row["stages_seen"]) == ("ResponseComplete", 1 | 2 | 4)
        assert (row["received_at"], row["started_at"]) == (at(0), at(0.001))
        assert row["finished_at"] == at(5)
        assert row["latency_ms"] == 5000


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("together", [True, False])
def test_stages_in_two_files_make_one_row(
    store: Store, tmp_path: Path, first: int, together: bool
) -> None:
    received, complete = request(took=0.25)
    files = [
        write_log(tmp_path / "audit-2026-03-01T12-00-00.000.log", [received]),
        write_log(tmp_path / "audit.log", [complete]),
    ]
    files = [files[first], files[1 - first]]
    runs = [files] if together else [[file] for file in files]
    outcomes = [outcome for run in runs for outcome in ingest(store, run, "prod")]
    assert [counts(outcome) for outcome in outcomes] == [(1, 1, 0, 0)] * 2
    assert (one(store)["stages_seen"], one(store)["latency_ms"]) == (1 | 4, 250)


@pytest.mark.parametrize(
    "runs", list(permutations([[0, 1], [2]])) + list(permutations([[0], [1, 2]]))
)
def test_a_watch_keeps_its_start_whichever_file_comes_first(
    store: Store, read: Read, runs: tuple[list[int], ...]
) -> None:
    stages = request(stages=WATCH, verb="watch", took=7)
    for name, run in enumerate(runs):
        read([stages[i] for i in run], f"{name}.log")
    row = one(store)
    assert (row["stages_seen"], row["started_at"], row["finished_at"]) == (7, at(0.001), at(7))


def test_an_open_watch_has_no_end_and_no_latency(store: Store, read: Read) -> None:
    read(request(stages=WATCH[:2], verb="watch", took=2))
    row = one(store)
    assert (row["stage"], row["started_at"]) == ("ResponseStarted", at(0.001))
    assert (row["finished_at"], row["latency_ms"]) == (None, None)
    assert store.value("select count(*) from open_requests") == 1


def test_a_panic_ends_a_request(store: Store, read: Read) -> None:
    read(request(stages=("RequestReceived", "Panic"), took=1.5, code=500))
    row = one(store)
    assert (row["stage"], row["finished_at"], row["code"]) == ("Panic", at(1.5), 500)
    assert row["stages_seen"] == 1 | 8


def test_a_request_that_was_only_received_is_open(store: Store, read: Read) -> None:
    read(request(stages=WATCH[:1]))
    assert (one(store)["stage"], one(store)["code"]) == ("RequestReceived", None)


# Identity of a request, duplicates


def test_the_same_id_at_another_time_is_another_request(store: Store, read: Read) -> None:
    read([event(received=1), event(received=2)])
    assert [row["received_at"] for row in requests(store)] == [at(1), at(2)]


def test_an_id_that_a_client_made_up_is_kept(store: Store, read: Read) -> None:
    made_up = ["mine", "日本", "a b\t'\"c", "x" * 5000]
    read([one for audit_id in made_up for one in request(audit_id)])
    assert {row["audit_id"] for row in requests(store)} == set(made_up)


def test_duplicates_are_counted_in_the_file_that_comes_later(store: Store, tmp_path: Path) -> None:
    early = [one for i in range(6) for one in request(ids(i), received=i)]
    files = [
        write_log(tmp_path / "a.log", early[:8]),
        write_log(tmp_path / "b.log", early[4:]),
        write_log(tmp_path / "c.log", [early[0], early[0], early[11]]),
    ]
    outcomes = ingest(store, files, "prod")
    assert [counts(o) for o in outcomes] == [(8, 8, 0, 0), (8, 4, 4, 0), (3, 0, 3, 0)]
    assert len(requests(store)) == 6


def test_files_that_overlap_in_separate_runs_count_the_same(store: Store, read: Read) -> None:
    early = [one for i in range(6) for one in request(ids(i), received=i)]
    assert counts(read(early[:7], "a.log")) == (7, 7, 0, 0)
    assert counts(read(early[4:], "b.log")) == (8, 5, 3, 0)
    assert len(requests(store)) == 6
    assert store.value("select count(*) from open_requests") == 0


def test_a_file_that_was_read_before_is_skipped(store: Store, read: Read) -> None:
    read(request())
    again = read(request())
    assert not again.skipped  # it was written again
    (third,) = ingest(store, [again.path], "prod")
    assert third.skipped
    assert store.value("select count(*) from ingests") == 2


def test_the_same_content_under_another_path_is_all_duplicates(store: Store, read: Read) -> None:
    events = [one for i in range(4) for one in request(ids(i), received=i)]
    read(events, "a.log")
    before = requests(store)
    assert counts(read(events, "copy/b.log")) == (8, 0, 8, 0)
    assert requests(store) == before


def test_an_event_without_stage_time_is_a_duplicate_when_read_again(
    store: Store, read: Read
) -> None:
    untimed = [event(stageTimestamp=None)]
    assert counts(read(untimed, "a.log")) == (1, 1, 0, 0)
    assert counts(read(untimed, "b.log")) == (1, 0, 1, 0)
    assert len(requests(store)) == 1


def test_the_same_event_of_another_cluster_is_another_request(store: Store, tmp_path: Path) -> None:
    file = write_log(tmp_path / "audit.log", request())
    for cluster in ("one", "two"):
        assert counts(ingest(store, [file], cluster)[0]) == (2, 2, 0, 0)
    assert [row["cluster"] for row in requests(store)] == ["one", "two"]


def test_two_api_servers_are_told_apart_by_their_folder_and_node() -> None:
    of = {
        "must-gather/audit_logs/kube-apiserver/master-0-audit.log.gz": "kube-apiserver/master-0",
        "kube-apiserver/master-0-audit-2026-03-01T12-00-00.123.log": "kube-apiserver/master-0",
        "openshift-apiserver/master-1-audit.log": "openshift-apiserver/master-1",
        "var/log/audit.log": "",
        "kube-apiserver/audit.log": "",
    }
    assert {path: apiserver_of(Path(path)) for path in of} == of


# Files as they come


def test_gzip_is_known_by_content(store: Store, read: Read) -> None:
    assert counts(read(request(ids(1)), "a.log.gz", packed=True)) == (2, 2, 0, 0)
    assert counts(read(request(ids(2)), "b.log", packed=True)) == (2, 2, 0, 0)
    assert counts(read(request(ids(3)), "c.log.gz")) == (2, 2, 0, 0)
    assert len(requests(store)) == 3


def test_gzip_in_several_members_is_read_to_its_end(store: Store, tmp_path: Path) -> None:
    whole = b"".join(lines(request(ids(1)) + request(ids(2))))
    path = tmp_path / "audit.log.gz"
    path.write_bytes(gzip.compress(whole[:700]) + gzip.compress(whole[700:]))
    assert counts(ingest(store, [path], "prod")[0]) == (4, 4, 0, 0)


@pytest.mark.parametrize("damage", ["cut", "cut-trailer", "padded"])
def test_a_damaged_gzip_file_gives_what_can_be_unpacked_and_says_so(
    store: Store, tmp_path: Path, damage: str
) -> None:
    events = [event(ids(i), received=i) for i in range(400)]
    packed = gzip.compress(b"".join(lines(events)))
    damaged = {
        "cut": packed[: len(packed) // 2],
        "cut-trailer": packed[:-6],
        "padded": packed + b"\0" * 512,
    }[damage]
    (tmp_path / "audit.log.gz").write_bytes(damaged)
    whole = write_log(tmp_path / "later.log", request(ids(1000), received=1000))
    outcomes = ingest(store, [tmp_path / "audit.log.gz", whole], "prod")
    found, other = (counts(outcome) for outcome in outcomes)
    assert other == (2, 2, 0, 0)
    assert found[1] == {"cut": found[1], "cut-trailer": 400, "padded": 400}[damage] > 50
    said = list(outcomes[0].reading.rejected)
    assert said == ([] if damage == "padded" else ["cut off: the compressed file ends early"])


def test_line_ends_of_windows_and_blank_lines_change_nothing(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.write_bytes(b"\r\n \t\r\n".join(line.strip() for line in lines(request())) + b"\r\n\n")
    assert counts(ingest(store, [path], "prod")[0]) == (2, 2, 0, 0)
    assert one(store)["latency_ms"] == 10


def test_a_last_line_without_its_end_is_read(store: Store, read: Read) -> None:
    outcome = read([*lines(request(ids(1))), lines([event(ids(2))])[0].rstrip(b"\n")])
    assert counts(outcome) == (3, 3, 0, 0)


def test_a_last_line_that_was_cut_is_rejected_as_cut(store: Store, read: Read) -> None:
    whole = lines(request(ids(1)))
    cut = lines([event(ids(2))])[0][:-80]
    outcome = read([*whole, cut])
    assert counts(outcome) == (3, 2, 0, 1)
    (row,) = store.rows("from rejected_lines")
    assert row["reason"] == "cut off: the last line has no end"
    assert (row["line"], row["byte_offset"]) == (3, sum(map(len, whole)))


def test_garbage_is_kept_with_its_place_and_reason(store: Store, read: Read) -> None:
    good = lines(request(ids(1)) + request(ids(2)))
    bad = [
        b"E0301 12:00:00 panic: something\n",
        b'{"kind":"Event","auditID":"x"\n',
        b"[1, 2]\n",
        b"null\n",
        b"\0" * 300 + b"\n",
        b'{"kind":"Event","auditID":"\xff\xfe"}\n',
    ]
    outcome = read(
        [
            good[0],
            bad[0],
            b"\n",
            bad[1],
            good[1],
            bad[2],
            bad[3],
            b"\x0b\n",
            bad[4],
            good[2],
            bad[5],
            good[3],
        ]
    )
    assert counts(outcome) == (10, 4, 0, 6)
    rows = store.rows("from rejected_lines order by line")
    # Bytes that are no UTF-8 do not hide the rest of an event: it has no time.
    no_time = "no usable requestReceivedTimestamp"
    assert [row["reason"] for row in rows] == [*["not a JSON object"] * 5, no_time]
    assert [row["line"] for row in rows] == [2, 4, 6, 7, 9, 11]
    text = outcome.path.read_bytes()
    for row, line in zip(rows, bad, strict=True):
        assert text[row["byte_offset"] :].startswith(line)
        assert row["excerpt"].encode().startswith(line[:4].replace(b"\xff", b"\\xff"))


UNPLACED = [
    ({"auditID": None}, "no auditID"),
    ({"requestReceivedTimestamp": None}, "no usable requestReceivedTimestamp"),
    ({"requestReceivedTimestamp": "soon"}, "no usable requestReceivedTimestamp"),
    ({"requestReceivedTimestamp": "0001-01-01T00:00:00Z"}, "no usable requestReceivedTimestamp"),
    ({"requestReceivedTimestamp": "9999-12-31T23:59:59Z"}, "no usable requestReceivedTimestamp"),
    ({"requestReceivedTimestamp": "99999-01-01T00:00:00Z"}, "no usable requestReceivedTimestamp"),
    ({"requestReceivedTimestamp": "infinity"}, "no usable requestReceivedTimestamp"),
    ({"stage": "Done"}, "no known stage"),
    ({"stage": None}, "no known stage"),
]


def test_an_event_that_cannot_be_placed_is_rejected_with_its_reason(
    store: Store, read: Read
) -> None:
    bad = [event(ids(i), **fields) for i, (fields, _) in enumerate(UNPLACED)]
    outcome = read([event(ids(100)), *bad, event(ids(101))])
    assert counts(outcome) == (len(bad) + 2, 2, 0, len(bad))
    rows = store.frame("select line, reason from rejected_lines order by line").rows()
    assert rows == [(line, reason) for line, (_, reason) in enumerate(UNPLACED, start=2)]
    assert outcome.reading.first_at == at(0)


def test_an_excerpt_is_at_most_a_kilobyte(store: Store, read: Read) -> None:
    read([event(), b"x" * 5000 + b"\n"])
    assert len(store.value("select excerpt from rejected_lines")) == 1024


@pytest.mark.parametrize("size", [300_000, 36_000_000])
def test_a_long_line_is_an_event_like_any_other(store: Store, read: Read, size: int) -> None:
    long = event(ids(2), requestObject={"data": "x" * size})
    assert counts(read([event(ids(1)), long, event(ids(3))])) == (3, 3, 0, 0)


def test_a_log_whose_first_line_is_longer_than_the_head_is_recognised(
    store: Store, read: Read
) -> None:
    long = event(ids(1), requestObject={"data": "x" * 300_000})
    assert counts(read([long, event(ids(2))])) == (2, 2, 0, 0)


def test_a_file_may_have_any_name(store: Store, tmp_path: Path) -> None:
    names = [
        "audit (1).log",
        "audit[1].log",
        "audit*.log",
        "a?b.log",
        "-x.log",
        "日 é.log",
        "{a,b}",
    ]
    files = [tmp_path / name for name in (*names, "audit1.log", "axb.log", "a", "b")]
    for number, file in enumerate(files):
        write_log(file, request(ids(number)))
    outcomes = ingest(store, files, "prod")
    assert [counts(outcome) for outcome in outcomes] == [(2, 2, 0, 0)] * len(files)


def test_a_folder_may_have_any_name(store: Store, tmp_path: Path) -> None:
    write_log(tmp_path / "[old]" / "audit.log", request())
    (outcome,) = ingest(store, [tmp_path / "[old]"], "prod")
    assert counts(outcome) == (2, 2, 0, 0)


def test_a_file_that_is_no_log_does_not_stop_the_others(store: Store, tmp_path: Path) -> None:
    write_log(tmp_path / "audit.log", request())
    (tmp_path / "README").write_text("not a log")
    (tmp_path / "empty.log").touch()
    found = {
        outcome.path.name: outcome
        for outcome in ingest(
            store, [tmp_path / n for n in ("README", "audit.log", "empty.log")], "prod"
        )
    }
    assert {name: counts(outcome) for name, outcome in found.items()} == {
        "README": (1, 0, 0, 1),
        "audit.log": (2, 2, 0, 0),
        "empty.log": (0, 0, 0, 0),
    }


def test_what_is_no_file_in_a_folder_is_passed_over(store: Store, tmp_path: Path) -> None:
    write_log(tmp_path / "logs" / "audit.log", request())
    os.mkfifo(tmp_path / "logs" / "pipe")
    (tmp_path / "logs" / "gone.log").symlink_to(tmp_path / "nowhere")
    (outcome,) = ingest(store, [tmp_path / "logs"], "prod")
    assert counts(outcome) == (2, 2, 0, 0)


def test_junk_is_no_usable_input_however_often_it_is_given(store: Store, tmp_path: Path) -> None:
    junk = tmp_path / "junk.txt"
    junk.write_text("nothing that we know\n")
    for _ in range(2):
        with pytest.raises(NoUsableInput, match=r"junk\.txt"):
            ingest(store, [junk], "prod")


# Fields


def test_a_user_or_agent_that_is_missing_is_no_obstacle(store: Store, read: Read) -> None:
    read(
        [
            event(ids(1)) | {"user": {}},
            event(ids(2)) | {"user": None},
            event(ids(3), userAgent=None),
        ]
    )
    rows = requests(store)
    assert [row["username"] for row in rows[:2]] == [None, None]
    assert (rows[2]["user_agent"], rows[2]["component"]) == (None, "kubelet")


def test_a_user_agent_of_ten_kilobytes_is_kept(store: Store, read: Read) -> None:
    read([event(agent="evil/1.0 " + "x" * 10_000)])
    assert len(one(store)["user_agent"]) == 10_009
    assert one(store)["client_name"] == "evil"


QUERIES = [
    ("limit=500", {"page_limit": 500, "continues": False}),
    ("limit=500&continue=eyJ2%3D", {"page_limit": 500, "continues": True}),
    ("limit=many", {"page_limit": None}),
    ("continue=", {"continues": False}),
    ("resourceVersion=0", {"resource_version": "0", "resource_version_match": None}),
    (
        "resourceVersionMatch=NotOlderThan&resourceVersion=12",
        {"resource_version": "12", "resource_version_match": "NotOlderThan"},
    ),
    ("resourceVersion=", {"resource_version": None}),
    ("fieldSelector=spec.nodeName%3Dnode-1", {"field_selector": "spec.nodeName=node-1"}),
    ("labelSelector=app+in+%28a%2Cb%29", {"label_selector": "app in (a,b)"}),
    ("labelSelector=a%26limit%3D7", {"label_selector": "a&limit=7", "page_limit": None}),
    ("labelSelector=%ff&limit=5", {"label_selector": "%ff", "page_limit": 5}),
    ("labelSelector=%zz", {"label_selector": "%zz"}),
    ("watch=true", {"watch": True}),
    ("watch=1&sendInitialEvents=true", {"watch": True, "send_initial_events": True}),
    ("watch=True", {"watch": True}),
    ("watch=false", {"watch": False, "send_initial_events": False}),
    ("watch=0", {"watch": False}),
    ("dryRun=All", {"dry_run": True}),
    ("fieldManager=a", {"dry_run": False, "watch": False, "field_selector": None}),
]


@pytest.fixture(scope="module")
def queried(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """One row per query, in their order."""
    folder = tmp_path_factory.mktemp("queried")
    events = [event(ids(i), uri=f"/api/v1/pods?{query}") for i, (query, _) in enumerate(QUERIES)]
    with Store.create(folder / "incident.duckdb") as store:
        ingest(store, [write_log(folder / "audit.log", events)], "prod")
        return requests(store)


@pytest.mark.parametrize("number", range(len(QUERIES)), ids=[query for query, _ in QUERIES])
def test_query_parameters_are_parsed_and_decoded(
    queried: list[dict[str, Any]], number: int
) -> None:
    row, expected = queried[number], QUERIES[number][1]
    assert {name: row[name] for name in expected} == expected
    assert row["uri_path"] == "/api/v1/pods"


def test_scope_says_what_the_url_covers(store: Store, read: Read) -> None:
    covered: list[tuple[dict[str, Any], str]] = [
        ({}, "cluster"),
        ({"namespace": "shop"}, "namespace"),
        ({"namespace": "shop", "name": "x"}, "object"),
        ({"resource": "nodes", "name": "node-1"}, "object"),
        ({"resource": None, "uri": "/healthz", "verb": "get"}, "nonresource"),
    ]
    read([event(ids(i), **fields) for i, (fields, _) in enumerate(covered)])
    assert [row["scope"] for row in requests(store)] == [scope for _, scope in covered]


def test_groups_and_subresources_are_told_apart(store: Store, read: Read) -> None:
    read(
        [
            event(ids(1), resource="pods", name="a", subresource="status"),
            event(ids(2), resource="daemonsets", group="apps"),
            event(ids(3), resource=None, uri="/metrics"),
        ]
    )
    rows = requests(store)
    assert [row["api_group"] for row in rows] == ["", "apps", None]
    assert [row["subresource"] for row in rows] == ["status", None, None]


def test_the_effective_user_is_kept_beside_the_real_one(store: Store, read: Read) -> None:
    read([event(user="proxy", impersonatedUser={"username": "ada"})])
    assert (one(store)["username"], one(store)["impersonated_user"]) == ("proxy", "ada")


def test_the_peer_is_the_last_of_the_addresses(store: Store, read: Read) -> None:
    read([event(sourceIPs=["6.6.6.6", "10.0.0.7"])])
    assert (one(store)["source_ip"], one(store)["source_ips"]) == (
        "10.0.0.7",
        ["6.6.6.6", "10.0.0.7"],
    )


def test_latency_annotations_are_milliseconds(store: Store, read: Read) -> None:
    prefix = "apiserver.latency.k8s.io/"
    given_as = {
        "total": "2.766708s",
        "apf-queue-wait": "1m1.5s",
        "etcd": "412.1ms",
        "authentication": "35µs",
        "authorization": "900ns",
        "impersonation": "0s",
        "decode-response-object": "1h2m3s",
        "mutating-webhook": "a while",
        "response-write": "903.7ms",
    }
    read([event(annotations={prefix + name: text for name, text in given_as.items()})])
    expected = {
        "total_ms": 2766.708,
        "apf_queue_wait_ms": 61_500,
        "etcd_ms": 412.1,
        "authentication_ms": 0.035,
        "authorization_ms": 0.0009,
        "impersonation_ms": 0,
        "decode_ms": 3_723_000,
        "mutating_webhook_ms": None,
        "validating_webhook_ms": None,
        "response_write_ms": 903.7,
    }
    row = one(store)
    for name, value in expected.items():
        assert row[name] == (value if value is None else pytest.approx(value)), name


# Who and where


def test_the_token_names_pod_node_and_workload(store: Store, read: Read) -> None:
    read([event(user=OTEL, agent="otelcol/0.1", pod="otel-agent-x7k2p", node="node-9")])
    row = one(store)
    assert (row["pod"], row["node"], row["node_from"]) == ("otel-agent-x7k2p", "node-9", "token")
    assert row["workload"] == "telemetry/otel-agent"


def test_the_workload_is_what_the_pod_name_begins_with(store: Store, read: Read) -> None:
    owner = {
        "otel-agent-x7k2p": "otel-agent",
        "checkout-84ffb4bd84-6drts": "checkout",
        "coredns-7db6d8ff4d-x2x4z": "coredns",
        "etcd-0": "etcd",
        "kafka-broker-12": "kafka-broker",
        "by-hand": "by-hand",
    }
    read([event(ids(i), user=OTEL, pod=pod) for i, pod in enumerate(owner)])
    found = {row["pod"]: row["workload"] for row in requests(store)}
    assert found == {pod: f"telemetry/{workload}" for pod, workload in owner.items()}


def test_a_kubelet_is_on_the_node_of_its_identity(store: Store, read: Read) -> None:
    read([event(user="system:node:ip-10-0-0-1.internal")])
    assert (one(store)["node"], one(store)["node_from"]) == ("ip-10-0-0-1.internal", "identity")


def nodes_of(store: Store, user: str) -> list[tuple[str | None, str | None]]:
    frame = store.frame(
        "select node, node_from from requests where username = $user order by audit_id", user=user
    )
    return frame.rows()


@pytest.mark.parametrize("kubelet_first", [True, False])
@pytest.mark.parametrize("together", [True, False])
def test_an_address_of_one_kubelet_tells_the_node(
    store: Store, read: Read, kubelet_first: bool, together: bool
) -> None:
    kubelet = event(ids(1), user="system:node:node-1", ip="10.0.0.1")
    agent = event(ids(2), user="ann", agent="curl/8", ip="10.0.0.1")
    elsewhere = event(ids(3), user="bob", agent="curl/8", ip="10.0.0.99")
    events = [kubelet, agent, elsewhere] if kubelet_first else [elsewhere, agent, kubelet]
    for number, run in enumerate([events] if together else [[e] for e in events]):
        read(run, f"{number}.log")
    assert nodes_of(store, "ann") == [("node-1", "source-ip")]
    assert nodes_of(store, "bob") == [(None, None)]


@pytest.mark.parametrize("runs", [[[0, 1, 2]], [[0, 1], [2]], [[2], [0, 1]], [[1], [0], [2]]])
def test_an_address_that_kubelets_share_says_nothing(
    store: Store, read: Read, runs: list[list[int]]
) -> None:
    events = [
        event(ids(1), user="system:node:node-1", ip="10.0.0.1"),
        event(ids(2), user="ann", agent="curl/8", ip="10.0.0.1"),
        event(ids(3), user="system:node:node-2", ip="10.0.0.1"),
    ]
    for number, run in enumerate(runs):
        read([events[i] for i in run], f"{number}.log")
    assert nodes_of(store, "ann") == [(None, None)]


# Whatever way the same events come, the same rows come of them


def some_events() -> list[Event]:
    """Requests with every mix of stages, some from one address, some with one ID."""
    events: list[Event] = []
    stages = (WATCH[:1], WATCH[1:2], WATCH[2:], WATCH, (WATCH[0], "Panic"), (WATCH[0], WATCH[2]))
    for i in range(12):
        events += request(
            ids(i // 2 * 2),
            stages=stages[i % len(stages)],
            received=i * 3,
            took=float(i),
            user=["ann", f"system:node:node-{i}"][i % 2],
            agent=[KUBELET, "curl/8.0"][i % 3 == 0],
            ip=f"10.0.0.{i // 4}",
            uri=f"/api/v1/pods?limit={i}",
        )
    return events


EVENTS = some_events()
LINES = lines(EVENTS)


@cache
def scratch() -> Store:
    """A database for many examples, since making one takes its time."""
    return Store.create(Path(tempfile.mkdtemp()) / "incident.duckdb")


@contextmanager
def fresh() -> Iterator[Store]:
    """The scratch database without a row, as if it were new."""
    for table in ("requests", "ingests", "rejected_lines", "callers", "clusters", "incident"):
        scratch().run(f"delete from {table}")
    yield scratch()


def read_in_runs(runs: Iterable[Sequence[Sequence[bytes]]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Ingest runs of files of lines into a new database; return requests and ledger."""
    with tempfile.TemporaryDirectory() as folder, fresh() as store:
        for number, files in enumerate(runs):
            given = [
                write_log(Path(folder) / f"{number}-{i}" / "audit.log", text)
                for i, text in enumerate(files)
            ]
            ingest(store, [path for path, text in zip(given, files, strict=True) if text], "prod")
        rows = store.frame("select * exclude ingest_id from requests order by all")
        ledger = store.frame("from ledger")
    assert (
        ledger["lines"]
        == ledger["loaded"] + ledger["duplicates"] + ledger["filtered"] + ledger["rejected"]
    ).all()
    return rows, ledger


@pytest.fixture(scope="module")
def plain() -> pl.DataFrame:
    rows, ledger = read_in_runs([[LINES]])
    assert ledger.select("lines", "loaded", "duplicates", "rejected").row(0) == (
        len(LINES),
        len(LINES),
        0,
        0,
    )
    return rows


def split(shuffled: Sequence[bytes], cuts: Iterable[int]) -> list[list[bytes]]:
    """Cut a list at these places, which may be the same or at its ends."""
    bounds = [0, *sorted(cuts), len(shuffled)]
    return [list(shuffled[a:b]) for a, b in pairwise(bounds)]


cut_places = st.lists(st.integers(0, len(LINES)), max_size=3)


@few
@given(shuffled=st.permutations(LINES), cuts=cut_places, separately=st.booleans())
def test_shuffled_lines_in_any_files_and_runs_make_the_same_rows(
    plain: pl.DataFrame, shuffled: list[bytes], cuts: list[int], separately: bool
) -> None:
    files = [file for file in split(shuffled, cuts) if file]
    rows, ledger = read_in_runs([[file] for file in files] if separately else [files])
    assert rows.equals(plain)
    assert (ledger["loaded"].sum(), ledger["duplicates"].sum()) == (len(LINES), 0)


@few
@given(twice=st.lists(st.sampled_from(LINES), max_size=30), cuts=cut_places, seed=st.randoms())
def test_lines_that_come_again_are_duplicates(
    plain: pl.DataFrame, twice: list[bytes], cuts: list[int], seed: Any
) -> None:
    mixed = [*LINES, *twice]
    seed.shuffle(mixed)
    rows, ledger = read_in_runs([[file for file in split(mixed, cuts) if file]])
    assert rows.equals(plain)
    assert (ledger["loaded"].sum(), ledger["duplicates"].sum()) == (len(LINES), len(twice))


@few
@given(cuts=cut_places, again=cut_places)
def test_reading_everything_a_second_time_changes_nothing(
    plain: pl.DataFrame, cuts: list[int], again: list[int]
) -> None:
    runs = [[file for file in split(LINES, places) if file] for places in (cuts, again)]
    rows, ledger = read_in_runs(runs)
    assert rows.equals(plain)
    assert (ledger["loaded"].sum(), ledger["duplicates"].sum()) == (len(LINES), len(LINES))


garbage = st.one_of(
    st.binary(max_size=60),
    st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace")),
    st.sampled_from(LINES).flatmap(lambda line: st.integers(1, 60).map(lambda n: line[: n * 5])),
).map(lambda line: line.replace(b"\n", b" ") + b"\n")


@few
@given(bad=st.lists(st.tuples(st.integers(0, len(LINES)), garbage), min_size=1, max_size=8))
def test_garbage_between_the_lines_is_counted_and_changes_no_row(
    plain: pl.DataFrame, bad: list[tuple[int, bytes]]
) -> None:
    mixed = list(LINES)
    for place, line in sorted(bad, reverse=True, key=lambda pair: pair[0]):
        mixed.insert(place, line)
    blank = sum(not line.strip() for _, line in bad)
    rows, ledger = read_in_runs([[mixed]])
    assert rows.equals(plain)
    assert ledger.select("lines", "loaded", "rejected").row(0) == (
        len(mixed) - blank,
        len(LINES),
        len(bad) - blank,
    )


@few
@given(bad=st.lists(st.tuples(st.integers(0, len(LINES)), garbage), min_size=1, max_size=8))
def test_a_rejected_line_is_found_at_its_line_and_offset(
    bad: list[tuple[int, bytes]],
) -> None:
    mixed = list(LINES)
    for place, line in sorted(bad, reverse=True, key=lambda pair: pair[0]):
        mixed.insert(place, line)
    expected = [
        (number, len(b"".join(mixed[: number - 1])))
        for number, line in enumerate(mixed, start=1)
        if line.strip() and line not in LINES
    ]
    with tempfile.TemporaryDirectory() as folder, fresh() as store:
        ingest(store, [write_log(Path(folder) / "audit.log", mixed)], "prod")
        found = store.frame("select line, byte_offset from rejected_lines order by line")
    assert found.rows() == expected
