"""Plain values as lines of YAML, with comments above the fields that they explain."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from kubepostmortem.flowcontrol.spelling import printable, scalar

WIDTH = 100  # of a line, in characters


def lines(document: Mapping[str, Any], comments: Mapping[str, str]) -> list[str]:
    """Return the lines of an object; comments: by field, above its first place in the object.

    What explains the whole object has its kind as the field.
    """
    left = dict(comments)
    above = _comment(left.pop(str(document.get("kind")), ""), "")
    return [*above, *_fields(document, left, "")]


def _fields(value: Mapping[str, Any], left: dict[str, str], indent: str) -> Iterator[str]:
    for name, inner in value.items():
        yield from _comment(left.pop(name, ""), indent)
        yield from _field(f"{indent}{scalar(name)}:", inner, left, indent)


def _field(begin: str, value: Any, left: dict[str, str], indent: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield begin
        yield from _fields(value, left, f"{indent}  ")
    elif not isinstance(value, list):
        yield f"{begin} {scalar(value)}"
    elif any(isinstance(inner, Mapping) for inner in value):
        yield begin
        for inner in value:
            yield from _item(list(_fields(inner, left, f"{indent}  ")), indent)
    else:
        yield from _scalars(begin, [scalar(inner) for inner in value], indent)


def _item(item: list[str], indent: str) -> Iterator[str]:
    """Lines of an object in a list: a dash before the first one that is no comment."""
    first = next(place for place, line in enumerate(item) if not line.lstrip().startswith("#"))
    yield from (line[2:] for line in item[:first])
    yield f"{indent}- {item[first][len(indent) + 2 :]}"
    yield from item[first + 1 :]


def _scalars(begin: str, values: list[str], indent: str) -> Iterator[str]:
    in_one_line = f"{begin} [{', '.join(values)}]"
    if not values or len(in_one_line) <= WIDTH:
        yield in_one_line
        return
    yield begin
    yield from (f"{indent}- {value}" for value in values)


def _comment(text: str, indent: str) -> list[str]:
    begin = f"{indent}# "
    return textwrap.wrap(
        printable(text),
        WIDTH,
        initial_indent=begin,
        subsequent_indent=begin,
        break_long_words=False,
        break_on_hyphens=False,
    )
