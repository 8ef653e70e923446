"""Rows that HelmReleases and Kustomizations of Flux give: what was released, and when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kubepostmortem.sources.changes import Change, begun_at, first_plain, only_workload
from kubepostmortem.sources.content import dig, listed
from kubepostmortem.sources.kube_fields import Row, name_of, said

REPORTED_BY = "Flux"


def helm_release(release: Any) -> Iterator[Row]:
    """The releases that a Flux HelmRelease still remembers; of older ones, the last."""
    return _remembered(release, _snapshot)


def kustomization(thing: Any) -> Iterator[Row]:
    """The revisions that a Flux Kustomization still remembers; of older ones, the last."""
    return _remembered(thing, _reconciled)


def _remembered(thing: Any, told: Callable[[Any], Change]) -> Iterator[Row]:
    history = listed(dig(thing, "status", "history"))
    for entry in history:
        yield "deploys", _from_flux(thing) | told(entry)
    if not history:
        yield from _last_applied(thing)


def _from_flux(thing: Any) -> Change:
    """What Flux deploys: its only workload, where it lists them, or what goes by its own name."""
    name = name_of(thing)
    workload = only_workload(name, list(map(_in_inventory, _inventory(thing))))
    own = said(thing, "spec", "targetNamespace") or said(thing, "metadata", "namespace")
    return {
        "namespace": said(workload, "namespace") or own,
        "service": said(workload, "name") or name,
        "kind": said(workload, "kind"),
        "reported_by": REPORTED_BY,
    }


def _inventory(thing: Any) -> list[Any]:
    return listed(dig(thing, "status", "inventory", "entries"))


def _in_inventory(entry: Any) -> dict[str, str]:
    """An entry of an inventory is one word: namespace_name_group_kind."""
    parts = (said(entry, "id") or "").split("_")
    return dict(zip(("namespace", "name", "group", "kind"), parts, strict=False))


def _snapshot(snapshot: Any) -> Change:
    """One release; lastDeployed is when this revision came, firstDeployed when the first did."""
    known = {"namespace": said(snapshot, "namespace")}
    return {key: value for key, value in known.items() if value} | {
        "applied_at": begun_at(dig(snapshot, "lastDeployed"), dig(snapshot, "firstDeployed")),
        "version": first_plain(dig(snapshot, "chartVersion"), dig(snapshot, "appVersion")),
        "action": f"revision {said(snapshot, 'version')}",
        "status": said(snapshot, "status"),
    }


def _reconciled(entry: Any) -> Change:
    return {
        "applied_at": begun_at(dig(entry, "firstReconciled")),
        "version": said(entry, "metadata", "revision"),
        "action": "revision applied",
        "status": said(entry, "lastReconciledStatus"),
    }


def _last_applied(thing: Any) -> Iterator[Row]:
    """The last revision, dated by the condition that became true with it; else nothing."""
    revision = said(thing, "status", "lastAppliedRevision")
    conditions = listed(dig(thing, "status", "conditions"))
    met = {said(one, "type"): one for one in conditions if said(one, "status") == "True"}
    condition = met.get("Released") or met.get("Ready")
    if revision is None or condition is None:
        return
    change = {
        "applied_at": begun_at(dig(condition, "lastTransitionTime")),
        "version": revision,
        "action": said(condition, "reason"),
        "status": "ready",
    }
    yield "deploys", _from_flux(thing) | change
