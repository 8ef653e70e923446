"""Flux: the events that it sends to webhooks, and its HelmReleases and Kustomizations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from kubepostmortem.sources import kube_objects
from kubepostmortem.sources.changes import NO_SERVICE, WORKLOADS, Change, Fields, begun_at, deploys
from kubepostmortem.sources.content import Record, Unusable, dig, plain
from kubepostmortem.sources.documents import Contents, load_documents
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.kube_fields import said
from kubepostmortem.sources.kube_flux import REPORTED_BY
from kubepostmortem.sources.kube_types import FLUX_KINDS, only_flux
from kubepostmortem.sources.source import Numbered, Reading, Rejection, Target
from kubepostmortem.sources.structured import first_keys, records

name = REPORTED_BY
describes = "Flux events as sent to webhooks, or kubectl get helmreleases,kustomizations -A -o json"

EVENT = frozenset({"involvedObject", "reportingController", "severity", "timestamp"})

REASON = re.compile(r"(\w+?)(Succeeded|Failed)")
CHANGED = re.compile(
    rf"({'|'.join(sorted(WORKLOADS))})/(?:([\w.-]{{1,253}})/)?([\w.-]{{1,253}}) "
    "(created|configured|deleted)"
)
CHART = re.compile(r"with chart \S+@(\S+)")
QUIET = frozenset({"DependencyNotReady", "DriftDetected", "HelmChartCreated", "TestSucceeded"})

OTHER_KIND = "about neither a HelmRelease nor a Kustomization"
NO_CHANGE = "no change told"


def recognises(file: InputFile) -> bool:
    """An event with the fields of Flux, or objects of its two kinds and no others."""
    return first_keys(file) >= EVENT or only_flux(file)


def load(batch: Sequence[Numbered], target: Target) -> list[Reading]:
    """Add the releases that are not known yet."""
    return load_documents(read, batch, target)


def read(file: InputFile, target: Target) -> Contents:
    """Read rows of deploys; a record is an object, or what an event tells of one workload."""
    if first_keys(file) >= EVENT:
        return deploys(_by_workload(records(file)), _change, _left_out)
    return kube_objects.read_as(file)


def _by_workload(events: Iterable[Record | Rejection]) -> Iterator[Record | Rejection]:
    """Take an event that lists changed workloads apart: one record for each."""
    for event in events:
        if isinstance(event, Rejection):
            yield event
            continue
        changed = CHANGED.findall(said(event.fields, "message") or "")
        for workload in changed or [None]:
            yield Record({**event.fields, "workload": workload}, event.text)


def _left_out(event: Fields) -> str | None:
    reason, message = said(event, "reason"), said(event, "message") or ""
    if said(event, "involvedObject", "kind") not in FLUX_KINDS:
        return OTHER_KIND
    return NO_CHANGE if reason in QUIET or message.startswith("Reconciliation finished") else None


def _change(event: Fields) -> Change:
    about = event["involvedObject"]
    kind, namespace, service, action = event["workload"] or (None, None, said(about, "name"), None)
    if service is None:
        raise Unusable(NO_SERVICE)
    did, outcome = _outcome(event)
    return {
        "applied_at": begun_at(event.get("timestamp")),
        "namespace": namespace or said(about, "namespace"),
        "service": service,
        "kind": kind,
        "version": _version(event),
        "action": action or did,
        "status": outcome,
        "reported_by": name,
    }


def _outcome(event: Fields) -> tuple[str | None, str]:
    """What was done and how it went: UpgradeSucceeded is an upgrade that succeeded."""
    reason = said(event, "reason")
    parts = REASON.fullmatch(reason or "")
    failed = said(event, "severity") == "error"
    if parts is None:
        return reason, "failed" if failed else "applied"
    return parts[1].lower(), parts[2].lower()


def _version(event: Fields) -> str | None:
    """The revision in the metadata, whose keys begin with the group of the object."""
    metadata = dig(event, "metadata")
    told = metadata.items() if isinstance(metadata, dict) else ()
    revisions = (plain(value) for key, value in told if str(key).rpartition("/")[2] == "revision")
    chart = CHART.search(said(event, "message") or "")
    return next(filter(None, revisions), chart[1] if chart else None)
