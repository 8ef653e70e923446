"""Kubernetes objects as `kubectl get` prints them, JSON or YAML: lists and single objects."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from kubepostmortem.sources import apiserver_flags, kube_request_counts
from kubepostmortem.sources.content import Unusable, listed, remarks
from kubepostmortem.sources.documents import Contents, load_documents
from kubepostmortem.sources.files import HEAD_BYTES, InputFile
from kubepostmortem.sources.json_content import excerpt, first_object
from kubepostmortem.sources.kube_fields import resource_of
from kubepostmortem.sources.kube_rows import rows_of
from kubepostmortem.sources.kube_types import only_applications, only_flux
from kubepostmortem.sources.source import Numbered, Reading, Rejection, Target
from kubepostmortem.sources.structured import documents, first_keys, is_json

name = "Kubernetes objects"
describes = "kubectl get events,nodes,daemonsets,... -A -o json or yaml, APIRequestCounts too"

API_VERSION = re.compile(r'(?:"|^(?:- )?)apiVersion"?\s*:\s*"?([^"\s]*)', re.MULTILINE)
CUT_LIST = "cut off: the list does not say its kind"


def recognises(file: InputFile) -> bool:
    """Objects of any API group but audit; those that only some source knows are left to it."""
    keys = file.document_keys or frozenset(first_object(file.text)) or first_keys(file)
    whole = "items" in keys or {"kind", "metadata"} <= keys or _goes_on_in_yaml(file)
    return "apiVersion" in keys and whole and not _is_audit(file.text) and not _is_left(file)


def _is_left(file: InputFile) -> bool:
    """The pod of an API server is read as its settings, objects of Argo CD and Flux as deploys."""
    return apiserver_flags.recognises(file) or only_applications(file) or only_flux(file)


def _goes_on_in_yaml(file: InputFile) -> bool:
    """Tell whether the head ends before the kind: `data` of a ConfigMap may be long."""
    return len(file.head) >= HEAD_BYTES and not is_json(file)


def _is_audit(text: str) -> bool:
    first = API_VERSION.search(text)
    return first is not None and first[1].startswith("audit.k8s.io/")


def load(batch: Sequence[Numbered], target: Target) -> list[Reading]:
    """Add the objects that are new or have changed."""
    return load_documents(read, batch, target)


def read(file: InputFile, target: Target) -> Contents:
    """Read the objects that the model has tables for; of the others, lists give the number."""
    return kube_request_counts.dated(read_as(file), file, target)


def read_as(file: InputFile, typed: Callable[[Any], Any] = lambda document: document) -> Contents:
    """Read objects of documents that `typed` completes where they do not say what they are."""
    found, damaged = documents(file)
    contents = Contents()
    tableless: set[str] = set()
    for document in map(typed, found):
        tableless |= _take(document, contents)
        damaged += _cut(document)
    contents.records += len(damaged)
    contents.rejections += damaged
    contents.notes = remarks(_only_counted(tableless))
    return contents


def _cut(document: Any) -> list[Rejection]:
    """YAML that is cut off still reads well, but kubectl writes the kind of a list at its end."""
    cut = isinstance(document, dict) and "items" in document and "kind" not in document
    return [Rejection(CUT_LIST, excerpt(document)[-200:])] if cut else []


def _take(document: Any, contents: Contents) -> set[str]:
    """Add the objects of a document; return the kinds that the model has no table for."""
    objects, due = _objects(document)
    return {kind for thing in objects if (kind := _take_object(thing, contents, due))}


def _take_object(thing: Any, contents: Contents, due: dict[str, int]) -> str | None:
    """Add the rows of one object; return its kind where the model has no table for it.

    The first usable object of a kind carries the number of objects that the list has (due).
    """
    contents.records += 1
    try:
        resource = resource_of(thing)
        rows = rows_of(resource, thing)
    except Unusable as why:
        contents.rejections.append(Rejection(str(why), excerpt(thing)))
        return None
    idle = resource == kube_request_counts.RESOURCE  # nobody asked for what it counts
    tableless = None if rows or idle else str(thing["kind"])
    if objects := due.pop(resource, 0):
        rows.append(("listed_objects", {"resource": resource, "objects": objects}))
    for table, row in rows:
        contents.add(table, **row)
        contents.times += [row[time] for time in ("seen_at", "applied_at") if time in row]
    contents.filtered += not rows
    return tableless


def _objects(document: Any) -> tuple[list[Any], dict[str, int]]:
    """The objects of a document, and how many a list has of each resource."""
    if isinstance(document, list):
        return document, _number(document)
    if not isinstance(document, dict) or "items" not in document:
        return [document], {}
    items = [_typed(item, document) for item in listed(document["items"])]
    return items, _number(items)


def _typed(item: Any, of: dict[str, Any]) -> Any:
    """An item of a PodList (or the like) says neither kind nor apiVersion: the list does."""
    if not isinstance(item, dict) or "kind" in item:
        return item
    kind = str(of.get("kind")).removesuffix("List")
    return {"kind": kind, "apiVersion": of.get("apiVersion"), **item}


def _number(objects: Sequence[Any]) -> dict[str, int]:
    return Counter(resource for thing in objects if (resource := _resource(thing)))


def _resource(thing: Any) -> str | None:
    try:
        return resource_of(thing)
    except Unusable:
        return None


def _only_counted(kinds: set[str]) -> str | None:
    return f"only counted, having no table: {', '.join(sorted(kinds))}" if kinds else None
