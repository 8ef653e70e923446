"""Rows that an Application of Argo CD gives: its syncs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubepostmortem.sources.changes import Change, begun_at, ended_at, only_workload
from kubepostmortem.sources.content import dig, listed, plain
from kubepostmortem.sources.kube_fields import Row, first_said, name_of, said

REPORTED_BY = "Argo CD"


def application(app: Any) -> Iterator[Row]:
    """The syncs of an Argo CD Application: its history, and one that is not in it (yet)."""
    about = _deployed_by(app)
    history = listed(dig(app, "status", "history"))
    for entry in history:
        yield "deploys", about | _synced(entry)
    operation = dig(app, "status", "operationState")
    if operation and not _in_history(operation, history):
        yield "deploys", about | _operation(operation)


def _deployed_by(app: Any) -> Change:
    """What an Application deploys: its only workload, or what goes under its own name."""
    name = name_of(app)
    workload = only_workload(name, listed(dig(app, "status", "resources")))
    service = said(workload, "name") or name
    return {
        "namespace": said(workload, "namespace") or said(app, "spec", "destination", "namespace"),
        "service": service,
        "kind": said(workload, "kind"),
        "action": "sync" if service == name else f"sync of {name}",
        "reported_by": REPORTED_BY,
    }


def _synced(entry: Any) -> Change:
    return {
        "applied_at": begun_at(dig(entry, "deployStartedAt"), dig(entry, "deployedAt")),
        "ends_at": ended_at(dig(entry, "deployedAt")),
        "version": _revision(entry),
        "actor": _initiator(entry),
        "status": "deployed",
    }


def _operation(operation: Any) -> Change:
    """A sync that runs, or that failed: only one that succeeded enters the history."""
    asked = dig(operation, "operation")
    return {
        "applied_at": begun_at(dig(operation, "startedAt")),
        "ends_at": ended_at(dig(operation, "finishedAt")),
        "version": _revision(dig(operation, "syncResult")) or _revision(dig(asked, "sync")),
        "actor": _initiator(asked),
        "status": (said(operation, "phase") or "unknown").lower(),
    }


def _in_history(operation: Any, history: list[Any]) -> bool:
    begun, done = said(operation, "startedAt"), said(operation, "finishedAt")
    return begun is None or any(
        begun == said(entry, "deployStartedAt") or done == said(entry, "deployedAt")
        for entry in history
    )


def _revision(entry: Any) -> str | None:
    """A commit or the version of a chart; of several sources, all of them."""
    several = [one for one in map(plain, listed(dig(entry, "revisions"))) if one]
    paths = (("revision",), ("source", "targetRevision"))
    return first_said(entry, *paths) or ", ".join(several) or None


def _initiator(entry: Any) -> str | None:
    """Who asked for a sync: a user, or the automation of Argo CD."""
    user = said(entry, "initiatedBy", "username")
    automated = said(entry, "initiatedBy", "automated") == "true"
    return user or ("automated" if automated else None)
