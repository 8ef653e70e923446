"""FlowSchemas and PriorityLevelConfigurations of a manifest, as kubectl would apply it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from kubepostmortem.flowcontrol.configuration import Configuration, in_force
from kubepostmortem.flowcontrol.manifest_shape import (
    GROUP,
    VERSIONS,
    misfits,
    whole_object,
    without_nulls,
)
from kubepostmortem.flowcontrol.manifest_text import DEEPEST, documents
from kubepostmortem.flowcontrol.objects import FlowSchema, PriorityLevel
from kubepostmortem.flowcontrol.parsing import Document, Malformed, flow_schema, priority_level
from kubepostmortem.flowcontrol.spelling import printable, shown
from kubepostmortem.flowcontrol.validation import level_complaints, schema_complaints

LEVEL = "PriorityLevelConfiguration"
SCHEMA = "FlowSchema"
MOST_COMPLAINTS = 5  # in one message


@dataclass(frozen=True, slots=True)
class Manifests:
    """What a manifest holds, in its order; ignored: kinds and names of its other objects."""

    priority_levels: tuple[PriorityLevel, ...] = ()
    flow_schemas: tuple[FlowSchema, ...] = ()
    ignored: tuple[str, ...] = ()


def read_manifests(text: str) -> Manifests:
    """Read YAML or JSON: one object, several documents, an array or a list, any version of the API.

    Malformed names the first object that the API server would refuse, and says why.
    """
    found = [(kind, one) for document in documents(text) for kind, one in _objects(document)]
    return Manifests(
        tuple(_level(one) for kind, one in found if kind == LEVEL),
        tuple(_schema(one) for kind, one in found if kind == SCHEMA),
        tuple(_label(kind, one) for kind, one in found if kind not in (LEVEL, SCHEMA)),
    )


def merged(base: Configuration, manifests: Manifests) -> Configuration:
    """Return what is in force after a manifest was applied: it replaces objects of its names."""
    return in_force(
        (*base.priority_levels.values(), *manifests.priority_levels),
        (*base.flow_schemas, *base.dangling, *manifests.flow_schemas),
    )


def _objects(value: Any, depth: int = 0) -> Iterator[tuple[str, Document]]:
    """Objects with their kinds, out of lists of any kind."""
    if isinstance(value, list) and depth <= DEEPEST:
        for inner in value:
            yield from _objects(inner, depth + 1)
    elif not isinstance(value, Mapping):
        raise Malformed(f"{shown(value)} stands where an object is expected")
    elif isinstance(value.get("items"), list) and depth <= DEEPEST:
        yield from _objects([_typed(inner, value) for inner in value["items"]], depth + 1)
    elif not isinstance(value.get("kind"), str):
        raise Malformed(f"an object without a kind: {shown(dict(value))}")
    else:
        yield value["kind"], value


def _typed(one: Any, whole: Document) -> Any:
    """An object of a list, with the kind and version that a typed list tells once for all."""
    kind = str(whole.get("kind")).removesuffix("List")
    if not isinstance(one, Mapping) or not kind:
        return one
    return {"apiVersion": whole.get("apiVersion"), "kind": kind} | dict(one)


def _level(document: Document) -> PriorityLevel:
    _refuse(LEVEL, document, misfits(document, whole_object(LEVEL, _version(LEVEL, document))))
    level = priority_level(without_nulls(document))
    _refuse(LEVEL, document, level_complaints(level))
    return level


def _schema(document: Document) -> FlowSchema:
    _refuse(SCHEMA, document, misfits(document, whole_object(SCHEMA, _version(SCHEMA, document))))
    schema = flow_schema(without_nulls(document))
    _refuse(SCHEMA, document, schema_complaints(schema))
    return schema


def _version(kind: str, document: Document) -> str:
    told = document.get("apiVersion")
    group, _, version = str(told).partition("/")
    if group != GROUP or version not in VERSIONS:
        known = ", ".join(VERSIONS)
        _refuse(kind, document, [f"apiVersion is {shown(told)}, not {GROUP}/ and one of {known}"])
    return version


def _refuse(kind: str, document: Document, complaints: Iterable[str]) -> None:
    first = list(islice(complaints, MOST_COMPLAINTS))
    if first:
        raise Malformed(f"{_label(kind, document)}: {'; '.join(first)}")


def _label(kind: str, document: Document) -> str:
    metadata = document.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    return printable(f"{kind} {name}") if name else printable(f"{kind} without a name")
