from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

import pytest

from kubepostmortem.ingest import ingest
from kubepostmortem.sources import incident_timeline
from kubepostmortem.sources.source import Numbered

TIME, NOTED_AT = "2024-12-11T15:13:00-08:00", datetime(2024, 12, 11, 23, 13)


def notes(store) -> list[tuple]:
    rows = store.frame("select noted_at, text, actor from timeline_notes order by noted_at, text")
    return list(rows.iter_rows())


PAGER_DUTY = {
    "log_entries": [
        {
            "type": "trigger_log_entry",
            "created_at": TIME,
            "summary": "Triggered through the API",
            "agent": {"type": "service_reference", "summary": "api"},
            "channel": {"type": "api", "summary": "KubeAPIDown"},
        }
    ]
}
PAGER_DUTY_NOTES = {
    "notes": [{"id": "P", "user": {"summary": "Alice"}, "content": "restart", "created_at": TIME}]
}
INCIDENT_IO = {
    "incident_updates": [
        {
            "created_at": TIME,
            "message": "API is slow",
            "new_incident_status": {"name": "Fixing"},
            "updater": {"user": {"name": "Alice", "email": "a@example.org"}},
        }
    ]
}
INCIDENT_IO_ITEMS = {
    "timeline_items": [{"occurred_at": TIME, "title": "restart", "creator": {"name": "Alice"}}]
}
OPSGENIE = {
    "data": {
        "entries": [
            {
                "eventTime": TIME,
                "type": "CustomUserEntry",
                "actor": {"name": "Alice"},
                "description": {"type": "plain_text", "content": "restart"},
            }
        ]
    }
}
OPSGENIE_NOTES = {"data": [{"note": "restart", "owner": "Alice", "createdAt": TIME, "offset": "1"}]}
STATUSPAGE = {
    "page": {},
    "incidents": [
        {
            "name": "API down",
            "created_at": TIME,
            "incident_updates": [{"status": "monitoring", "body": "restart", "created_at": TIME}],
        }
    ],
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"time,event,actor\n{TIME},restart,Alice\n", ("restart", "Alice")),
        (f"Timestamp;Description;Who\n{TIME};restart;Alice\n", ("restart", "Alice")),
        (f"- time: {TIME}\n  note: restart\n  author: Alice\n", ("restart", "Alice")),
        (json.dumps([{"at": TIME, "text": "restart", "by": "Alice"}]), ("restart", "Alice")),
        (json.dumps(PAGER_DUTY), ("Triggered through the API: KubeAPIDown", "api")),
        (json.dumps(PAGER_DUTY_NOTES), ("restart", "Alice")),
        (json.dumps(INCIDENT_IO), ("Fixing: API is slow", "Alice")),
        (json.dumps(INCIDENT_IO_ITEMS), ("restart", "Alice")),
        (json.dumps(OPSGENIE), ("restart", "Alice")),
        (json.dumps(OPSGENIE_NOTES), ("restart", "Alice")),
        (json.dumps(STATUSPAGE), ("monitoring: restart", None)),
    ],
)
def test_reads_what_people_and_pagers_write_down(look, load, store, text, expected):
    file = look(text)

    assert incident_timeline.recognises(file)
    load(incident_timeline, file)
    assert notes(store) == [(NOTED_AT, *expected)]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2024-12-11 15:13:00,restart,Alice", "time without a zone"),
        (",restart,Alice", "no time given"),
        (f"{TIME},,Alice", "no text"),
    ],
)
def test_an_entry_that_cannot_be_used_is_rejected(look, load, row, reason):
    reading = load(incident_timeline, look(f"time,event,actor\n{TIME},ok,\n{row}\n"))

    assert (reading.loaded, reading.rejected) == (1, {reason: 1})
    assert reading.rejections[0].line == 3


def test_notes_stand_in_the_timeline_by_their_first_line(store, tmp_path):
    written = [
        {"time": TIME, "note": "restart\nof all <b>servers</b>", "actor": "Alice"},
        {"time": TIME, "note": "alerts fired", "actor": None},
    ]
    path = tmp_path / "notes.json"
    path.write_text(json.dumps(written))

    ingest(store, [path], "prod")

    assert store.rows("select kind, title, detail, in_incident from timeline") == [
        {"kind": "note", "title": "alerts fired", "detail": None, "in_incident": True},
        {
            "kind": "note",
            "title": "restart",
            "detail": "of all <b>servers</b>, by Alice",
            "in_incident": True,
        },
    ]


def test_a_zone_may_be_assumed_for_notes_typed_by_hand(look, target, store):
    file = look("time,event,actor\n2024-12-11 15:13:00,restart,Alice\n")

    incident_timeline.load([Numbered(1, file)], replace(target, assume_tz="America/Los_Angeles"))

    assert notes(store) == [(NOTED_AT, "restart", "Alice")]
