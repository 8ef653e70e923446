"""Objects in a file, whether it is JSON or YAML: those of its head, and all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

import yaml

from kubepostmortem.sources import json_content, yaml_content
from kubepostmortem.sources.content import BLANK, Record
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.source import Rejection

NO_OBJECT = "not an object"

SHALLOW = 6  # how deep a head is looked into
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]..")

Path = tuple[str | int, ...]


class Entry(NamedTuple):
    """A key of an object in a head: where the object stands, the key, and a scalar value."""

    path: Path
    key: str
    value: str | None


def is_json(file: InputFile) -> bool:
    """Tell whether a file begins as JSON does."""
    return file.text.lstrip(BLANK)[:1] in ("{", "[")


def is_structured(file: InputFile) -> bool:
    """Tell whether a file begins as JSON or YAML does."""
    return is_json(file) or yaml_content.begins_yaml(file.text)


def documents(file: InputFile) -> tuple[list[Any], list[Rejection]]:
    """Return the JSON or YAML values of a file in order, and what is damaged."""
    return json_content.documents(file) if is_json(file) else yaml_content.documents(file)


def records(file: InputFile, *wrappers: str) -> Iterator[Record | Rejection]:
    """Yield every object of a file; of an array, or one under these keys, each entry."""
    found, damaged = documents(file)
    for document in found:
        yield from map(record, entries(document, *wrappers))
    yield from damaged


def entries(document: Any, *wrappers: str) -> list[Any]:
    """Return the entries of an array, or of the array under the first of these keys."""
    if isinstance(document, dict):
        arrays = (document[key] for key in wrappers if isinstance(document.get(key), list))
        return next(arrays, [document])
    return document if isinstance(document, list) else [document]


def record(value: Any) -> Record | Rejection:
    """Return an object as a record, and what is none as a rejection."""
    text = json_content.excerpt(value)
    return Record(value, text) if isinstance(value, dict) else Rejection(NO_OBJECT, text)


def in_lower_case(record: Record | Rejection) -> Record | Rejection:
    """Return a record with its keys in lower case, as the columns of a CSV file have them."""
    if isinstance(record, Rejection):
        return record
    return replace(record, fields={k.strip().lower(): field for k, field in record.fields.items()})


def first_keys(file: InputFile, *wrappers: str) -> frozenset[str]:
    """Return the keys of the first object of a head, as far as they are seen.

    It is the first entry of an array, or of the array under one of these keys.
    """
    outline = outlined(file.text)
    top = _keys(outline, ())
    wrapped = next((wrapper for wrapper in wrappers if wrapper in top), None)
    return _keys(outline, (wrapped, 0)) if wrapped else top or _keys(outline, (0,))


def keys_at(file: InputFile, *path: str | int) -> frozenset[str]:
    """Return the keys of the object that stands there in a head, as far as they are seen."""
    return _keys(outlined(file.text), path)


def _keys(outline: tuple[Entry, ...], path: Path) -> frozenset[str]:
    return frozenset(entry.key for entry in outline if entry.path == path)


@lru_cache(maxsize=2)
def outlined(text: str) -> tuple[Entry, ...]:
    """Return the keys of the first document of a head, down to a few levels, until it is cut."""
    begins_json = text.lstrip(BLANK)[:1] in ("{", "[")
    if not begins_json and not yaml_content.begins_yaml(text):
        return ()
    # JSON is YAML too, but for halves of characters, which no key needs.
    return tuple(_outline(SURROGATE.sub("", text) if begins_json else text))


def _outline(text: str) -> Iterator[Entry]:
    path: list[str | int | None] = []  # None: inside a mapping, before its next key
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.DocumentEndEvent) or len(path) > yaml_content.DEEPEST:
                return
            yield from _step(event, path)
    except yaml.YAMLError:
        return


def _step(event: Any, path: list[str | int | None]) -> Iterator[Entry]:
    """Follow one event, and yield what a key of an object is or begins."""
    if isinstance(event, yaml.ScalarEvent) and path and path[-1] is None:
        path[-1] = event.value
    elif isinstance(event, yaml.ScalarEvent):
        absent = event.implicit[0] and event.value in yaml_content.NULLS
        yield from _entry(path, None if absent else event.value)
        _next(path)
    elif isinstance(event, yaml.CollectionStartEvent):
        yield from _entry(path, None)
        path.append(None if isinstance(event, yaml.MappingStartEvent) else 0)
    elif isinstance(event, yaml.CollectionEndEvent):
        path.pop()
        _next(path)


def _entry(path: list[str | int | None], value: str | None) -> Iterator[Entry]:
    if path and isinstance(path[-1], str) and len(path) <= SHALLOW:
        yield Entry(tuple(step for step in path[:-1] if step is not None), path[-1], value)


def _next(path: list[str | int | None]) -> None:
    """After a value: the next key of a mapping, the next place of a list."""
    if path:
        path[-1] = path[-1] + 1 if isinstance(path[-1], int) else None
