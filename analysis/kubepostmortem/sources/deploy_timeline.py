"""Deploy timelines: one change per row or object, as CI systems and people write them down."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from kubepostmortem.sources import csv_content
from kubepostmortem.sources.changes import (
    NO_SERVICE,
    Change,
    Fields,
    begun_at,
    ended_at,
    first_plain,
)
from kubepostmortem.sources.content import Record, Unusable, remarks, tabulate
from kubepostmortem.sources.documents import Contents, load_documents
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.source import Numbered, Reading, Rejection, Target
from kubepostmortem.sources.structured import first_keys, in_lower_case, is_structured, records

name = "deploy timeline"
describes = (
    "Changes in CSV, JSON or YAML with a time (and its zone) and a service, as CI systems export"
)

TIME = ("time", "timestamp", "started_at", "date", "created_at", "at")
SERVICE = ("service", "component", "app")
END = ("end", "ended_at", "finished_at")
VERSION = ("version", "revision")
ACTOR = ("actor", "author", "user")
ACTION = ("action", "note")
TELLING = frozenset({*END, *VERSION, *ACTOR, *ACTION})  # make of a mere `name` a thing deployed
LOGS = ("value", "metric", "level", "message", "msg", "auditid", "apiversion")
OTHERWISE = frozenset({*LOGS, "tag_name", "head_sha", "pipeline", "stages"})  # last: other CI tools
WRAPPERS = ("deploys", "deployments", "changes", "events")


def recognises(file: InputFile) -> bool:
    """Columns or keys that name a time and a service, and none that tell of metrics or logs."""
    keys = first_keys(file, *WRAPPERS) or csv_content.columns(file.text)
    return _tells_deploys({key.strip().lower() for key in keys})


def _tells_deploys(names: set[str]) -> bool:
    served = names & {*SERVICE} or ("name" in names and names & TELLING)
    return bool(names & {*TIME} and served and not names & OTHERWISE)


def load(batch: Sequence[Numbered], target: Target) -> list[Reading]:
    """Add the changes that are not known yet; a CSV and a JSON export of the same ones agree."""
    return load_documents(read, batch, target)


def read(file: InputFile, target: Target) -> Contents:
    """Read one row of deploys per record; a record without a zone in its time is rejected."""
    told = list(_records(file))
    change = partial(_deploy, zone=target.assume_tz)
    contents = tabulate(told, "deploys", change, dated_by="applied_at")
    fields = [record.fields for record in told if isinstance(record, Record)]
    contents.notes = remarks(
        _other_clusters(fields, target.cluster), _ends_left_out(fields, target.assume_tz)
    )
    return contents


def _records(file: InputFile) -> Iterable[Record | Rejection]:
    if is_structured(file):
        return map(in_lower_case, records(file, *WRAPPERS))
    return csv_content.records(file)


def _deploy(fields: Fields, zone: str | None) -> Change:
    service = _first(fields, *SERVICE, "name")
    if service is None:
        raise Unusable(NO_SERVICE)
    kind, verb = _kind(fields)
    return {
        "applied_at": begun_at(*map(fields.get, TIME), zone=zone),
        "ends_at": ended_at(_first(fields, *END), zone),
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
    return first_plain(*map(fields.get, names))


def _kind(fields: Fields) -> tuple[str | None, str | None]:
    """What `kind` says: a kind of object (DaemonSet), or what was done (rollback)."""
    kind = _first(fields, "kind")
    return (kind, None) if kind is None or kind[0].isupper() else (None, kind)


def _other_clusters(told: Sequence[Fields], cluster: str) -> str | None:
    others = {said for fields in told if (said := _first(fields, "cluster"))} - {cluster}
    listed = ", ".join(sorted(others))
    return f"the file names cluster {listed}; kept under {cluster}" if others else None


def _ends_left_out(told: Sequence[Fields], zone: str | None) -> str | None:
    ends = filter(None, (_first(fields, *END) for fields in told))
    odd = sum(1 for end in ends if ended_at(end, zone) is None)
    return f"{odd} end times without a usable time and zone left out" if odd else None
