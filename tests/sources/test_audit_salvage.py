"""Damaged lines of an audit log: what is sound in them is loaded, and the rest is shown."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubepostmortem.sources import audit_events, audit_log, audit_pieces, audit_staging
from kubepostmortem.sources.audit_pieces import TOO_LONG
from kubepostmortem.sources.audit_salvage import salvaged
from kubepostmortem.sources.packing import CUT_OFF
from planted import event, lines, request


def ids(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"


def one(number: int, **fields) -> bytes:
    """An event, without the end of its line."""
    return lines([event(ids(number), **fields)])[0].rstrip(b"\n")


BOM = b"\xef\xbb\xbf"
LIST = json.dumps({"kind": "EventList", "items": [event(ids(1)), event(ids(2))]}).encode()
BAD = b'{"kind":"Event","auditID":"x"'

# A line, and how many events and rejections come of it.
LINES = {
    "two events joined": (one(1) + one(2), 2, 0),
    "three with blanks between": (one(1) + b" \t " + one(2) + b" " + one(3), 3, 0),
    "a byte order mark": (BOM + one(1), 1, 0),
    "a byte order mark at a join": (one(1) + BOM + one(2), 2, 0),
    "zeros before": (b"\0" * 700 + one(1), 1, 0),
    "zeros between": (one(1) + b"\0" * 700 + one(2), 2, 0),
    "zeros behind": (one(1) + b"\0" * 700, 1, 0),
    "only zeros": (b"\0" * 700, 0, 1),
    "CRI": (b"2026-03-01T12:00:00.1Z stdout F " + one(1), 1, 0),
    "syslog": (b"<14>Mar  1 12:00:00 node-1 kube-apiserver[7]: " + one(1), 1, 0),
    "a prefix with braces": (b"{node-1} [a=b] " + one(1), 1, 0),
    "an EventList": (LIST, 2, 0),
    "an EventList behind a prefix": (b"audit: " + LIST + one(3), 3, 0),
    "bytes that are no UTF-8": (one(1, agent="AGENT").replace(b"AGENT", b"a\xff\xfeb"), 1, 0),
    "a lone surrogate": (one(1, agent="AGENT").replace(b"AGENT", rb"a\ud83db"), 1, 0),
    "an event and half a one": (one(1) + BAD, 1, 1),
    "half an event": (BAD, 0, 1),
    "another object": (b'{"level":"info","msg":"x"}', 0, 1),
    "an event and another object": (one(1) + b'{"level":"info"}', 1, 1),
    "deep nesting": (b'{"a":' * 5000, 0, 1),
}


@pytest.mark.parametrize("in_pieces", [False, True], ids=["whole", "in pieces"])
@pytest.mark.parametrize(("line", "events", "rejected"), LINES.values(), ids=LINES)
def test_what_is_sound_in_a_line_is_loaded(
    store, look, load, monkeypatch, line, events, rejected, in_pieces
):
    if in_pieces:
        monkeypatch.setattr(audit_pieces, "PIECE_BYTES", 200)
    text = b"\n".join([one(100), line, one(101), b""])

    reading = load(audit_log, look(text))

    assert (reading.loaded, sum(reading.rejected.values())) == (events + 2, rejected)
    assert store.value("select count(*) from requests") == events + 2
    for row in store.rows("from rejected_lines"):
        assert (row["line"], row["byte_offset"]) == (2, len(one(100)) + 1)
        assert (
            line.endswith(row["excerpt"].rstrip("\n").encode()[-20:]) or len(row["excerpt"]) == 1024
        )


def test_a_file_of_two_kinds_adds_up(store, look, load):
    text = b"\n".join(line for line, _, _ in LINES.values())

    reading = load(audit_log, look(one(100) + b"\n" + text))

    planted = sum(events for _, events, _ in LINES.values())
    assert reading.loaded + reading.duplicates == planted + 1
    assert sum(reading.rejected.values()) == sum(bad for _, _, bad in LINES.values())


def test_every_line_behind_a_prefix_is_a_log_that_is_read_again(store, look, load):
    text = b"".join(b"a: " + one(n) + b"\n" for n in range(50))
    file = look(one(100) + b"\n" + text)

    assert load(audit_log, file).loaded == 51
    assert load(audit_log, file).duplicates == 51


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from([one(1), LIST, BAD, b"{", b'"', b" ", b"\0", b"x", b"\xff"])))
def test_any_line_is_taken_apart_without_error(parts):
    events, rest = salvaged(b"".join(parts))

    assert all("auditID" in json.loads(event) for event in events)
    assert events or rest or not b"".join(parts)


# Pieces

STAGES = ("RequestReceived", "ResponseStarted", "ResponseComplete")
LOG = b"".join(
    line for n in range(40) for line in lines(request(ids(n), stages=STAGES, took=5, received=n))
)
BLANKS = LOG.replace(b"\n", b"\r\n\n \n", 7)
GARBAGE = LOG.replace(b"\n", b"\nwhat?\n", 5) + b"{"


def rows(store) -> list[dict]:
    return store.rows("select * exclude ingest_id from requests order by audit_id, received_at")


@pytest.mark.parametrize("text", [LOG, BLANKS, GARBAGE], ids=["clean", "blank lines", "garbage"])
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("size", [3000, 9000])
def test_pieces_make_no_difference(store, look, load, monkeypatch, text, packed, size):
    whole = load(audit_log, look(text))
    expected = (
        rows(store),
        store.rows("select line, byte_offset, reason from rejected_lines order by line"),
    )
    for table in ("requests", "rejected_lines"):
        store.run(f"delete from {table}")
    monkeypatch.setattr(audit_pieces, "PIECE_BYTES", size)
    monkeypatch.setattr(audit_events, "PIECE_BYTES", 2 * size)
    monkeypatch.setattr(audit_staging, "FOLD_BYTES", 3 * size)
    monkeypatch.setattr("kubepostmortem.sources.packing.PIECE", 1100)

    reading = load(audit_log, look(text, packed=packed))

    found = (
        rows(store),
        store.rows("select line, byte_offset, reason from rejected_lines order by line"),
    )
    assert found == expected
    assert (reading.loaded, reading.rejected) == (whole.loaded, whole.rejected)
    assert all(row["stages_seen"] == 7 for row in found[0])


@pytest.mark.parametrize("where", ["first", "between", "last", "last, without end"])
def test_a_line_that_is_too_long_is_rejected_and_the_rest_is_loaded(
    store, look, load, monkeypatch, where
):
    monkeypatch.setattr(audit_pieces, "PIECE_BYTES", 2000)
    monkeypatch.setattr(audit_pieces, "LONGEST", 4000)
    monkeypatch.setattr(audit_pieces, "BLOCK", 1 << 20)
    long = one(500, requestObject="x" * 3_000_000) + b"\n"
    at = {"first": 0, "between": LOG.index(b"\n", 9000) + 1}.get(where, len(LOG))
    text = LOG[:at] + (long[:-1] if where.endswith("end") else long) + LOG[at:]

    reading = load(audit_log, look(text, packed=True))

    assert (reading.loaded, reading.rejected) == (120, {TOO_LONG: 1})
    (row,) = store.rows("from rejected_lines")
    assert (row["line"], row["byte_offset"]) == (LOG[:at].count(b"\n") + 1, at)
    assert len(row["excerpt"]) == 1024


def test_a_whole_last_event_of_a_cut_file_is_loaded(store, look, load):
    """A gzip file that breaks off just behind an event still has that event."""
    packed = gzip.compress(LOG[:-1])[:-5]

    reading = load(audit_log, look(packed))

    assert (reading.loaded, reading.rejected) == (120, {CUT_OFF: 1})
