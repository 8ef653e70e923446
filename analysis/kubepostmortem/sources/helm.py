"""Helm releases: `helm list` and `helm history`, as JSON or YAML."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kubepostmortem.sources.changes import (
    NO_SERVICE,
    Change,
    Fields,
    begun_at,
    deploys,
    first_plain,
)
from kubepostmortem.sources.content import Record, Unusable, plain, remarks
from kubepostmortem.sources.documents import Contents, load_documents
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.source import Numbered, Reading, Target
from kubepostmortem.sources.structured import first_keys, records

name = "Helm"
describes = "helm list -A -o json, or helm history RELEASE -o json; as YAML too"

NEEDED = frozenset({"chart", "updated", "revision"})
UNNAMED = "releases named after their chart: helm history does not say their name and namespace"

CHART = re.compile(r"(?s)(?P<name>.+?)-(?P<version>v?\d+\.\d+(?:\.\d+)?(?:[-+.].*)?|v?\d+)")


def recognises(file: InputFile) -> bool:
    """Releases or their revisions: a chart, a revision and the time of the last change."""
    return first_keys(file) >= NEEDED


def load(batch: Sequence[Numbered], target: Target) -> list[Reading]:
    """Add the revisions that are not known yet."""
    return load_documents(read, batch, target)


def read(file: InputFile, target: Target) -> Contents:
    """Read one row of deploys per revision."""
    told = list(records(file))
    contents = deploys(told, _change)
    nameless = any(isinstance(one, Record) and not plain(one.fields.get("name")) for one in told)
    contents.notes = remarks(contents.notes, UNNAMED if nameless else None)
    return contents


def chart_and_version(chart: str) -> tuple[str, str | None]:
    """Take the name of a packaged chart apart: node-agent-0.9.0 is version 0.9.0 of node-agent."""
    parts = CHART.fullmatch(chart)
    return (parts["name"], parts["version"]) if parts else (chart, None)


def _change(fields: Fields) -> Change:
    chart, version = chart_and_version(plain(fields.get("chart")) or "")
    service = first_plain(fields.get("name"), chart)
    if service is None:
        raise Unusable(NO_SERVICE)
    return {
        "applied_at": begun_at(fields.get("updated")),
        "namespace": plain(fields.get("namespace")),
        "service": service,
        "version": first_plain(version, fields.get("app_version")),
        "action": first_plain(fields.get("description"), f"revision {fields.get('revision')}"),
        "status": plain(fields.get("status")),
        "reported_by": name,
    }
