"""Argo CD: Applications, as kubectl or its own command line print them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kubepostmortem.sources import kube_objects
from kubepostmortem.sources.documents import Contents, load_documents
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.kube_argocd import REPORTED_BY
from kubepostmortem.sources.kube_types import only_applications
from kubepostmortem.sources.source import Numbered, Reading, Target

name = REPORTED_BY
describes = "kubectl get applications -A -o json, or argocd app get APP / app list -o json"

TYPE = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application"}


def recognises(file: InputFile) -> bool:
    """Applications and nothing else: mixed lists are read with the other objects."""
    return only_applications(file)


def load(batch: Sequence[Numbered], target: Target) -> list[Reading]:
    """Add the syncs that are not known yet."""
    return load_documents(read, batch, target)


def read(file: InputFile, target: Target) -> Contents:
    """Read one row of deploys per sync; a record is an Application."""
    return kube_objects.read_as(file, _typed)


def _typed(document: Any) -> Any:
    """Say of an Application what it is: the command line of Argo CD leaves that out."""
    if isinstance(document, list):
        return [_typed(one) for one in document]
    if isinstance(document, dict) and "items" in document:
        items = document["items"]
        return {"kind": "List", "apiVersion": "v1"} | document | {"items": _typed(items)}
    return TYPE | document if isinstance(document, dict) else document
