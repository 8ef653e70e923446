"""Fields of the objects of flowcontrol.apiserver.k8s.io, and what kind of value each takes.

A field that is misspelt would have its default without a word, so unknown ones are refused, as
kubectl does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from kubepostmortem.flowcontrol.spelling import printable, shown

Shape: TypeAlias = "type | list[Any] | Mapping[str, Any] | None"

GROUP = "flowcontrol.apiserver.k8s.io"
OLDER_VERSIONS = ("v1beta2", "v1beta1", "v1alpha1")  # of Kubernetes 1.25 and before
VERSIONS = ("v1", "v1beta3", *OLDER_VERSIONS)
SHARES = "nominalConcurrencyShares"
OLDER_SHARES = "assuredConcurrencyShares"
INT32 = range(-(1 << 31), 1 << 31)
NAMES = {str: "a text", int: "an integer", bool: "true or false"}

NAMED = {"name": str}
SUBJECT = {
    "kind": str,
    "user": NAMED,
    "group": NAMED,
    "serviceAccount": {"namespace": str, "name": str},
}
RESOURCE_RULE = {
    "verbs": [str],
    "apiGroups": [str],
    "resources": [str],
    "clusterScope": bool,
    "namespaces": [str],
}
RULE = {
    "subjects": [SUBJECT],
    "resourceRules": [RESOURCE_RULE],
    "nonResourceRules": [{"verbs": [str], "nonResourceURLs": [str]}],
}
FLOW_SCHEMA = {
    "priorityLevelConfiguration": NAMED,
    "matchingPrecedence": int,
    "distinguisherMethod": {"type": str},
    "rules": [RULE],
}
QUEUING = {"queues": int, "handSize": int, "queueLengthLimit": int}
LIMITED = {
    "lendablePercent": int,
    "borrowingLimitPercent": int,
    "limitResponse": {"type": str, "queuing": QUEUING},
}


def whole_object(kind: str, version: str) -> Shape:
    """Return the shape of an object of this kind in this version of the API."""
    spec = FLOW_SCHEMA if kind == "FlowSchema" else _priority_level(version)
    metadata = {"name": str, "annotations": None}
    return {"apiVersion": str, "kind": str, "metadata": metadata, "spec": spec, "status": None}


def misfits(value: object, shape: Shape, path: str = "") -> Iterator[str]:
    """Say what of a value has no place in a shape; None as a shape takes anything."""
    if isinstance(shape, Mapping):
        yield from _misfits_of_object(value, shape, path)
    elif isinstance(shape, list):
        yield from _misfits_of_list(value, shape[0], path)
    elif shape is not None and type(value) is not shape:
        yield f"{path} is {shown(value)}, not {NAMES[shape]}"
    elif shape is int and value not in INT32:
        yield f"{path} is {shown(value)}, which is out of range"


def without_nulls(value: Any) -> Any:
    """Return a value without the fields that are null, which to Kubernetes are absent."""
    if isinstance(value, Mapping):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [without_nulls(inner) for inner in value] if isinstance(value, list) else value


def _priority_level(version: str) -> Shape:
    shares = OLDER_SHARES if version in OLDER_VERSIONS else SHARES
    exempt = {SHARES: int, "lendablePercent": int}
    return {"type": str, "limited": {shares: int, **LIMITED}, "exempt": exempt}


def _misfits_of_object(value: object, shape: Mapping[str, Any], path: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{path} is {shown(value)}, not an object"
        return
    for name, inner in value.items():
        inside = f"{path}.{name}" if path else str(name)
        if name not in shape:
            # Metadata has many fields that do not matter here.
            if path != "metadata":
                yield f"there is no field {printable(inside)}"
        elif inner is not None:
            yield from misfits(inner, shape[name], inside)


def _misfits_of_list(value: object, shape: Shape, path: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{path} is {shown(value)}, not a list"
        return
    for place, inner in enumerate(value):
        yield from misfits(inner, shape, f"{path}[{place}]")
