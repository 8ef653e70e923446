"""Rows of OpenShift's APIRequestCounts: who asked for a resource, hour by hour of the last day.

Fields and the meaning of the hours: openshift/api, apiserver/v1/types_apirequestcount.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from statistics import mode
from typing import Any

from kubepostmortem.incident import iso
from kubepostmortem.sources.content import Unusable, dig, listed, remarks
from kubepostmortem.sources.documents import Contents
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.kube_fields import Row, name_of, said
from kubepostmortem.sources.source import Target
from kubepostmortem.sources.taken import taken_at, told_taken
from kubepostmortem.sources.times import moment

RESOURCE = "apirequestcounts.apiserver.openshift.io"
TABLE = "api_request_counts"
HOURS = 24
INTEGERS = range(2**63)


def request_counts(thing: Any) -> Iterator[Row]:
    """The counts of one API resource; only hours of the day are told, dated() adds the day."""
    status = dig(thing, "status")
    hours = listed(dig(status, "last24h"))[:HOURS]
    resource, _, version_and_group = name_of(thing).partition(".")
    version, _, group = version_and_group.partition(".")
    common = {
        "resource": resource,
        "api_version": version,
        "api_group": group,
        "current": _current(hours, dig(status, "currentHour")),
        "counted_at": _counted_at(thing),
    }
    for hour, log in enumerate(hours):
        for node in listed(dig(log, "byNode")):
            for row in _clients(node):
                yield TABLE, {**common, "hour": hour, **row}


def _clients(node: Any) -> Iterator[dict[str, Any]]:
    """Requests per client and verb at one API server, and those of all clients not listed."""
    left = _count(node)
    name = said(node, "nodeName") or ""
    for user in listed(dig(node, "byUser")):
        client = {"username": said(user, "username"), "user_agent": said(user, "userAgent")}
        for verb in listed(dig(user, "byVerb")):
            requests = _count(verb)
            left -= requests
            yield _row(name, requests, **client, verb=said(verb, "verb"))
    if left > 0:
        yield _row(name, left)


def _row(node: str, requests: int, **client: str | None) -> dict[str, Any]:
    empty = {"username": "", "user_agent": "", "verb": ""}
    told = {key: value for key, value in client.items() if value}
    return {"node": node, "requests": requests, **empty, **told}


def _count(thing: Any) -> int:
    value = dig(thing, "requestCount")
    return value if type(value) is int and value in INTEGERS else 0


def _current(hours: list[Any], current: Any) -> int | None:
    """Which hour of the day was running: the one that stands apart as currentHour too."""
    same = [hour for hour, log in enumerate(hours) if dig(log, "byNode") and log == current]
    return same[0] if len(same) == 1 else None


def _counted_at(thing: Any) -> datetime | None:
    """When the counts were last written, where the object still tells; naive UTC."""
    fields = listed(dig(thing, "metadata", "managedFields"))
    stamps = [_moment(said(write, "time")) for write in fields]
    return max(filter(None, stamps), default=None)


def _moment(stamp: str | None) -> datetime | None:
    try:
        return moment(stamp) if stamp else None
    except Unusable:
        return None


def dated(contents: Contents, file: InputFile, target: Target) -> Contents:
    """Give the counts their day: the last one that lets the running hour be over or running.

    The limit is when the counts were written, where an object tells; else when the file was taken.
    """
    rows = contents.tables.get(TABLE, [])
    if not rows:
        return contents
    told = max(filter(None, (row.pop("counted_at") for row in rows)), default=None)
    limit = told or taken_at(file, target)
    usual = mode([row["current"] for row in rows])
    for row in rows:
        hour, current = row.pop("hour"), row.pop("current")
        running = _latest(limit, usual if current is None else current)
        row["hour_at"] = _latest(running, hour)
        row["is_whole"] = row["hour_at"] != running
    hours = [row["hour_at"] for row in rows]
    contents.times += hours
    whence = "its managedFields" if told else told_taken(file, target)
    last = f"hours of APIRequestCounts end with that of {iso(max(hours))}, by {whence}"
    contents.notes = remarks(contents.notes, last)
    return contents


def _latest(limit: datetime, hour: int | None) -> datetime:
    """The last beginning of this hour of the day up to a time; None: of its own hour."""
    own = limit.replace(minute=0, second=0, microsecond=0)
    return own - timedelta(hours=0 if hour is None else (own.hour - hour) % HOURS)
