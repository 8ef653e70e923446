"""Deploy timelines: one change per row or JSON object, as CI systems and people write them down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from kubepostmortem.sources import csv_content
from kubepostmortem.sources.content import Record, Unusable, plain, remarks, tabulate
from kubepostmortem.sources.documents import Contents, load_documents
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.json_content import documents, excerpt, first_object
from kubepostmortem.sources.source import Numbered, Reading, Rejection, Target
from kubepostmortem.sources.times import moment

name = "deploy timeline"
describes = "Changes in CSV or JSON with a time (and its zone) and a service, as CI systems export"

TIME = ("time", "timestamp", "started_at", "date", "created_at", "at")
SERVICE = ("service", "component", "app")
END = ("end", "ended_at", "finished_at")
VERSION = ("version", "revision")
ACTOR = ("actor", "author", "user")
ACTION = ("action", "note")
TELLING = frozenset({*END, *VERSION, *ACTOR, *ACTION})  # make of a mere `name` a thing deployed
OTHERWISE = frozenset({"value", "metric", "level", "message", "msg", "auditid", "apiversion"})

NO_SERVICE = "no service named"
NO_TIME = "no time given"

Fields = Mapping[str, Any]


def recognises(file: InputFile) -> bool:
    """Columns or keys that name a time and a service, and none that tell of metrics or logs."""
    keys = first_object(file.text).keys() or csv_content.columns(file.text)
    return _tells_deploys({key.strip().lower() for key in keys})


def _tells_deploys(names: set[str]) -> bool:
    served = names & {*SERVICE} or ("name" in names and names & TELLING)
    return bool(names & {*TIME} and served and not names & OTHERWISE)


def load(batch: Sequence[Numbered], target: Target) -> list[Reading]:
    """Add the changes that are not known yet; a CSV and a JSON export of the same ones agree."""
    return load_documents(read, batch, target)


def read(file: InputFile, target: Target) -> Contents:
    """Read one row of deploys per record; a record without a zone in its time is rejected."""
    csv = bool(csv_content.columns(file.text))
    records = list(csv_content.records(file) if csv else _objects(file))
    contents = tabulate(records, "deploys", _deploy, dated_by="applied_at")
    told = [record.fields for record in records if isinstance(record, Record)]
    contents.notes = remarks(_other_clusters(told, target.cluster), _ends_left_out(told))
    return contents


def _objects(file: InputFile) -> Iterator[Record | Rejection]:
    found, damaged = documents(file)
    for document in found:
        yield from map(_record, document if isinstance(document, list) else [document])
    yield from damaged


def _record(value: Any) -> Record | Rejection:
    text = excerpt(value)
    if not isinstance(value, dict):
        return Rejection("not an object", text)
    return Record({key.strip().lower(): field for key, field in value.items()}, text)


def _deploy(fields: Fields) -> dict[str, Any]:
    service = _first(fields, *SERVICE, "name")
    if service is None:
        raise Unusable(NO_SERVICE)
    kind, verb = _kind(fields)
    return {
        "applied_at": _applied_at(fields),
        "ends_at": _ends_at(fields),
        "namespace": _first(fields, "namespace"),
        "service": service,
        "kind": kind,
        "version": _first(fields, *VERSION),
        "actor": _first(fields, *ACTOR),
        "action": _first(fields, *ACTION) or verb,
        "status": _first(fields, "status"),
        "reported_by": name,
    }


def _first(fields: Fields, *names: str) -> str | None:
    """The first of these fields that says anything."""
    return next((said for name in names if (said := plain(fields.get(name)))), None)


def _kind(fields: Fields) -> tuple[str | None, str | None]:
    """What `kind` says: a kind of object (DaemonSet), or what was done (rollback)."""
    kind = _first(fields, "kind")
    return (kind, None) if kind is None or kind[0].isupper() else (None, kind)


def _applied_at(fields: Fields) -> datetime:
    stamp = _first(fields, *TIME)
    if stamp is None:
        raise Unusable(NO_TIME)
    return moment(stamp)


def _ends_at(fields: Fields) -> datetime | None:
    """When it was done; None where this is not told, or not as a time with its zone."""
    try:
        return moment(_first(fields, *END) or "")
    except Unusable:
        return None


def _other_clusters(told: Sequence[Fields], cluster: str) -> str | None:
    others = {said for fields in told if (said := _first(fields, "cluster"))} - {cluster}
    listed = ", ".join(sorted(others))
    return f"the file names cluster {listed}; kept under {cluster}" if others else None


def _ends_left_out(told: Sequence[Fields]) -> str | None:
    odd = sum(1 for fields in told if _first(fields, *END) and _ends_at(fields) is None)
    return f"{odd} end times without a usable time and zone left out" if odd else None
