"""A log that is folded in several goes gives what it gives in one."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest

from kubepostmortem.sources import audit_events, audit_log, audit_merge, audit_pieces, audit_staging
from planted import at, event, lines

IDS = [f"00000000-0000-4000-8000-{number:012x}" for number in range(30)]
STAGES = ("RequestReceived", "ResponseStarted", "ResponseComplete")


def watches(late: float = 0) -> list[bytes]:
    """Lines of watches that overlap; an event may stand so many seconds too late in the log."""
    events = [
        event(name, stage=stage, received=number, took=nth * (number % 3) * 5, verb="watch")
        for number, name in enumerate(IDS)
        for nth, stage in enumerate(STAGES)
        if (number + nth) % 7 or not nth  # some stages are missing
    ]
    delays = random.Random(1)
    placed = [(one["stageTimestamp"], delays.random() * late, one) for one in events]
    return lines(one for *_, one in sorted(placed, key=_placed))


def _placed(event_in_log) -> datetime:
    stamp, delay, _ = event_in_log
    return datetime.fromisoformat(stamp) + timedelta(seconds=delay)


@pytest.fixture
def small_folds(monkeypatch) -> None:
    monkeypatch.setattr(audit_pieces, "PIECE_BYTES", 4000)
    monkeypatch.setattr(audit_events, "PIECE_BYTES", 4000)
    monkeypatch.setattr(audit_staging, "FOLD_BYTES", 8000)


def rows(store) -> list[dict]:
    return store.rows("from requests order by audit_id, received_at")


@pytest.mark.parametrize("most_open", [0, 1000])
@pytest.mark.parametrize("twice", [False, True], ids=["once", "every line twice"])
def test_requests_that_end_in_another_fold(
    store, look, load, request, monkeypatch, most_open, twice
):
    found = watches(late=8)
    text = b"".join(line * 2 for line in found) if twice else b"".join(found)
    load(audit_log, look(text, "whole"))
    truth = rows(store)
    store.run("delete from requests")
    request.getfixturevalue("small_folds")
    monkeypatch.setattr(audit_merge, "MOST_OPEN", most_open)

    reading = load(audit_log, look(text, "whole"))

    assert [row | {"ingest_id": 1} for row in rows(store)] == truth
    assert reading.loaded == len(found)
    assert reading.duplicates == (len(found) if twice else 0)
    assert {row["finished_at"] for row in truth} > {None}


def test_a_request_that_ended_in_an_earlier_run_stays_as_it_was(store, look, load, small_folds):
    found = watches()
    load(audit_log, look(b"".join(found), "first"))
    truth = rows(store)

    again = load(audit_log, look(b"".join(reversed(found)), "second"))

    assert rows(store) == truth
    assert (again.loaded, again.duplicates) == (0, len(found))


def test_a_request_that_was_open_in_an_earlier_run_is_ended(store, look, load, small_folds):
    found = watches()
    load(audit_log, look(b"".join(found[: len(found) // 2]), "first"))
    before = store.value("select count(*) from requests where finished_at is null")

    load(audit_log, look(b"".join(found[len(found) // 2 :]), "second"))

    after = store.value("select count(*) from requests where finished_at is null")
    assert before > after
    assert store.value("select count(*) from requests") == len(IDS)
    assert store.value("select max(finished_at) from requests") > at(0) + timedelta(
        seconds=len(IDS) - 5
    )


def test_nothing_is_deleted_that_was_inserted_in_the_same_go(
    store, look, load, small_folds, monkeypatch
):
    """A delete makes DuckDB write every row group again that it touches."""
    ran: list[str] = []
    run = type(store).run
    monkeypatch.setattr(
        type(store), "run", lambda *given, **p: ran.append(given[1]) or run(*given, **p)
    )

    load(audit_log, look(b"".join(watches())))

    assert sum("into requests" in sql for sql in ran) >= 3
    assert not [sql for sql in ran if "delete from requests" in sql or "update requests" in sql]


@pytest.mark.parametrize("damage", [b"what?\n", b"{\n", b"\n \n"])
def test_a_large_plain_file_shows_damaged_lines_where_they_are(
    store, look, load, small_folds, damage
):
    good = watches()
    text = b"".join(line + damage * (number % 20 == 9) for number, line in enumerate(good))

    reading = load(audit_log, look(text))

    places = store.rows("select line, byte_offset from rejected_lines order by line")
    spoilt = list(range(9, len(good), 20)) if damage.strip() else []
    assert reading.loaded == len(good)
    assert [row["line"] for row in places] == [n + 2 + k for k, n in enumerate(spoilt)]
    all_lines = text.split(b"\n")
    for row in places:
        assert all_lines[row["line"] - 1] + b"\n" == damage
        assert text[row["byte_offset"] :].startswith(damage)
        assert text.count(b"\n", 0, row["byte_offset"]) == row["line"] - 1
