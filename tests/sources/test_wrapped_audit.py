"""The same events give the same requests, whatever they are wrapped in; all else is counted."""

from __future__ import annotations

import random

import pytest

from audit_wrappings import POD, STREAM, WRAPPINGS, counts, members, subscribed, tens, texts
from kubepostmortem.ingest import ingest
from kubepostmortem.sources import audit_events, audit_pieces, audit_staging
from planted import request, write_log

STAGES = {"RequestReceived": 1, "ResponseStarted": 2, "ResponseComplete": 4}
WATCH = ("RequestReceived", "ResponseStarted", "ResponseComplete")


def ids(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"


EVENTS = [
    *request(ids(1), verb="watch", stages=WATCH, took=9, uri="/api/v1/pods?watch=1&limit=5"),
    *request(ids(2), group="apps", resource="deployments", namespace="a", name="b", verb="patch"),
    *request(ids(3), resource=None, uri="/healthz", verb="get", user="system:anonymous"),
    *request(ids(4), agent='odd "agent" {[\\ é \u2028 😀', pod="web-5d4f-x", node="n"),
    *request(ids(5), code=429, annotations={"apiserver.latency.k8s.io/etcd": "412.1ms"}),
    *(one for n in range(6, 30) for one in request(ids(n), received=n, subresource="status")),
]

every_wrapping = pytest.mark.parametrize("wrap", WRAPPINGS.values(), ids=WRAPPINGS)


def requests(store, cluster: str = "prod") -> list[dict]:
    """What is told about each request, but for the file and API server that it came from."""
    return store.rows(
        "select * exclude (cluster, ingest_id, apiserver) from requests"
        " where cluster = $cluster order by audit_id, received_at",
        cluster=cluster,
    )


@pytest.fixture(scope="module")
def truth(database, tmp_path_factory):
    ingest(database, [write_log(tmp_path_factory.mktemp("truth") / "a.log", EVENTS)], "truth")
    return requests(database, "truth")


def server(name: str) -> str:
    """The API server that a wrapping tells, or else the path."""
    if name == "get-log-events":
        return ""
    if name.startswith(("filter", "Firehose", "Kinesis", "S3", "Insights")):
        return STREAM
    if name.startswith(("PT1H", "event hub", "properties", "Azure", "AKS")):
        return POD
    return "kube-apiserver/master-0"


@pytest.mark.parametrize("name", WRAPPINGS)
def test_every_wrapping_gives_the_same_requests(store, give, truth, name):
    folder = STREAM if name == "S3 export" else "kube-apiserver"

    outcome = give(WRAPPINGS[name](EVENTS), f"{folder}/master-0-audit.log")

    assert counts(outcome) == (len(EVENTS), 0, 0, 0)
    assert requests(store) == truth
    told = "select distinct coalesce(apiserver, '') from requests where cluster = 'prod'"
    assert store.frame(told).item() == server(name)


@pytest.mark.parametrize(
    "name", ["lines", "lists per line", "S3 export", "event hub", "AKSAudit CSV"]
)
def test_a_file_in_many_pieces_is_the_same(store, give, truth, monkeypatch, name):
    monkeypatch.setattr(audit_pieces, "PIECE_BYTES", 1500)
    monkeypatch.setattr(audit_events, "PIECE_BYTES", 4000)
    monkeypatch.setattr(audit_staging, "FOLD_BYTES", 8000)

    assert counts(give(WRAPPINGS[name](EVENTS))) == (len(EVENTS), 0, 0, 0)
    assert requests(store) == truth


def test_the_same_events_in_another_wrapping_add_nothing(store, give, truth):
    give(WRAPPINGS["lines"](EVENTS), "first")
    for name in ("a pretty list", "Firehose", "AKSAudit CSV", "properties as text"):
        assert counts(give(WRAPPINGS[name](EVENTS), name)) == (0, len(EVENTS), 0, 0)
        assert requests(store) == truth


@every_wrapping
def test_no_event_before_a_cut_is_lost(store, give, wrap):
    text = wrap(EVENTS).encode()
    cut = random.Random(len(text)).randrange(len(text) // 2, len(text))

    outcome = give(text[:cut])

    found = store.rows("select audit_id, stages_seen from requests")
    seen = {row["audit_id"]: row["stages_seen"] for row in found}
    whole = [one for one in EVENTS if _end(text, one) <= cut]
    assert all(seen.get(one["auditID"], 0) & STAGES[one["stage"]] for one in whole)
    assert counts(outcome)[0] >= len(whole) > 20
    assert counts(outcome)[3] <= 2


def _end(text: bytes, one: dict) -> int:
    """Where the record of an event has surely ended: in front of the event after the next one."""
    after = EVENTS.index(one) + 2
    if after >= len(EVENTS):
        return len(text)
    place = -1
    for _ in range(1 + sum(e["auditID"] == EVENTS[after]["auditID"] for e in EVENTS[:after])):
        place = text.index(EVENTS[after]["auditID"].encode(), place + 1)
    return place


def test_the_members_of_a_firehose_file_are_one_text(store, give, truth):
    parts = [subscribed(texts(batch)).encode() for batch in tens(EVENTS)]

    assert counts(give(members(parts))) == (len(EVENTS), 0, 0, 0)
    assert requests(store) == truth
