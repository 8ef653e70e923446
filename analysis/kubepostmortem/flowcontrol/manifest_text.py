"""Plain documents of a text of YAML or JSON, as kubectl takes it; nothing in it is expanded."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import yaml

from kubepostmortem.flowcontrol.parsing import Malformed
from kubepostmortem.flowcontrol.spelling import shown

MOST_BYTES = 10_000_000
DEEPEST = 100
BLANK = " \t\r\n\ufeff"
TIMESTAMP = "tag:yaml.org,2002:timestamp"


class Loader(yaml.CSafeLoader):
    """Values as Kubernetes reads them: times are texts, and no key stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Build a mapping; ConstructorError where a key stands twice."""
        try:
            _distinct([(key.value, None) for key, _ in node.value])
        except ValueError as twice:
            problem = str(twice)
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from twice
        return super().construct_mapping(node, deep)


Loader.yaml_implicit_resolvers = {
    first: [known for known in resolvers if known[0] != TIMESTAMP]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def documents(text: str) -> list[Any]:
    """Return the documents of a text, without empty ones. Raises Malformed."""
    if len(text) > MOST_BYTES or len(text.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        raise Malformed(f"larger than {MOST_BYTES // 1_000_000} MB")
    text = text.lstrip(BLANK)
    try:
        found = _json(text) if text[:1] in ("{", "[") else None
        return _yaml(text) if found is None else found
    except RecursionError as deep:
        raise Malformed("nested too deeply") from deep


def _json(text: str) -> list[Any] | None:
    """Values one after the other; None: it is no JSON."""
    decoder = json.JSONDecoder(object_pairs_hook=_distinct)
    found, place = [], 0
    try:
        while place < len(text):
            value, place = decoder.raw_decode(text, place)
            found.append(value)
            place = len(text) - len(text[place:].lstrip(BLANK))
    except json.JSONDecodeError:
        return None
    except ValueError as wrong:
        raise Malformed(f"not JSON as Kubernetes takes it: {wrong}") from wrong
    return found


def _yaml(text: str) -> list[Any]:
    try:
        _refuse_expanding(yaml.parse(text, Loader=yaml.CSafeLoader))
        return [known for known in yaml.load_all(text, Loader=Loader) if known is not None]
    except Malformed:
        raise
    except (yaml.YAMLError, ValueError) as wrong:
        raise Malformed(f"neither YAML nor JSON: {_problem(wrong)}") from wrong


def _refuse_expanding(events: Iterable[Any]) -> None:
    """Refuse anchors, by which a short text may stand for a huge one, and endless nesting."""
    depth = 0
    for event in events:
        if getattr(event, "anchor", None) is not None:
            raise Malformed(f"anchor or alias in line {event.start_mark.line + 1}: write it out")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise Malformed("nested too deeply")


def _problem(wrong: Exception) -> str:
    mark = getattr(wrong, "problem_mark", None)
    problem = getattr(wrong, "problem", None) or getattr(wrong, "reason", None) or str(wrong)
    return f"{problem}, line {mark.line + 1}" if mark else str(problem)


def _distinct(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for key, value in pairs:
        if isinstance(key, str) and key in found:
            raise ValueError(f"field {shown(key)} stands twice")
        if isinstance(key, str):
            found[key] = value
    return found
