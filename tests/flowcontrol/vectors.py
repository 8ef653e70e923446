"""Golden vectors: what the code of the API server did, see tests/data/flowcontrol/README.md."""

from __future__ import annotations

import json
import lzma
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from kubepostmortem.flowcontrol.classify import Call, Caller
from kubepostmortem.flowcontrol.configuration import Configuration, in_force
from kubepostmortem.flowcontrol.parsing import flow_schema, priority_level

KEPT = Path(__file__).parent.parent / "data" / "flowcontrol"
FOLDER = Path(os.environ.get("KPM_VECTORS") or KEPT)

Vector = dict[str, Any]


def scenarios(first: int = 0, last: int = 99) -> list[str]:
    """Names of the scenarios with these numbers."""
    names = sorted(path.name.split(".")[0] for path in FOLDER.glob("[0-9][0-9]_*.json*"))
    return [name for name in names if first <= int(name[:2]) <= last]


@lru_cache(maxsize=4)
def vector(name: str) -> Vector:
    """Read a scenario or a table."""
    plain = FOLDER / f"{name}.json"
    text = plain.read_bytes() if plain.exists() else lzma.decompress(_packed(name).read_bytes())
    read: Vector = json.loads(text)
    return read


def configured(lists: Vector, with_defaults: bool) -> Configuration:
    """What a scenario, or a change in it, configures."""
    defaults = vector("default_objects")["v1.36"] if with_defaults else {}

    def both(name: str) -> list[Vector]:
        return [*(defaults.get(name) or ()), *(lists.get(name) or ())]

    return in_force(
        [priority_level(document) for document in both("priority_levels")],
        [flow_schema(document) for document in both("flow_schemas")],
    )


def caller(actor: Vector) -> Caller:
    return Caller(actor["user"], tuple(actor["groups"] or ()))


def call(told: Vector) -> Call:
    names = ("verb", "api_group", "resource", "subresource", "namespace", "name", "path")
    return Call(*(told[name] for name in names))


def _packed(name: str) -> Path:
    return FOLDER / f"{name}.json.xz"
