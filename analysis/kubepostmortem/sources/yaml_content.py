"""YAML values in a file: documents of plain mappings, lists and scalars.

Values are built from parser events: nothing is expanded, and no tag makes an object of anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from kubepostmortem.sources.content import content
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.source import EXCERPT_BYTES, Rejection

ANCHORED = "YAML with an anchor or alias, which may expand without end"
TOO_DEEP = "YAML nested too deeply"
ODD_KEY = "not YAML as Kubernetes knows it: a key that is no text"

DEEPEST = 200
SEPARATOR = re.compile(rb"^---(?=\s|$)", re.MULTILINE)  # can stand inside no YAML value
DIRECTIVE = re.compile(rb"^%[^\n]*\n?", re.MULTILINE)
BEGINNING = re.compile(
    r"(?:%[^\n]*\n)*(?:(?:---)?[ \t]*(?:#[^\n]*)?\r?\n)*"  # directives, comments, separators
    r"(?:- +)*(?:\"[^\"\n]*\"|'[^'\n]*'|[\w./-]+):(?:\s|$)"
)
INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,17})")
NULLS = frozenset({"", "~", "null", "Null", "NULL"})
TRUTH = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


class Damaged(ValueError):
    """A document cannot be used; line counts from 0 in the document."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.line = line


@dataclass(frozen=True, slots=True)
class Part:
    """One document of a file, and where it begins (line from 1)."""

    data: bytes
    line: int
    byte_offset: int

    def rejected(self, why: Damaged) -> Rejection:
        """The document as a rejection that shows the damaged line."""
        before = b"".join(self.data.splitlines(keepends=True)[: why.line])
        excerpt = self.data[len(before) :][:EXCERPT_BYTES]
        place = self.line + before.count(b"\n"), self.byte_offset + len(before)
        return Rejection(str(why), excerpt, *place)


@dataclass
class Building:
    """The values whose beginning was read; the first is the list of all values of the text."""

    open: list[Any] = field(default_factory=lambda: [[]])
    keys: list[str | None] = field(default_factory=lambda: [None])

    def add(self, value: Any, line: int) -> None:
        """Put a whole value, or one that begins here, where it belongs."""
        inside, key = self.open[-1], self.keys[-1]
        if isinstance(inside, list):
            inside.append(value)
        elif key is not None:
            inside[key], self.keys[-1] = value, None
        else:
            raise Damaged(ODD_KEY, line)

    def add_scalar(self, event: yaml.ScalarEvent, line: int) -> None:
        """Take a scalar as the next key, as its text, or as the value that a plain one means."""
        if isinstance(self.open[-1], dict) and self.keys[-1] is None:
            self.keys[-1] = event.value
        else:
            self.add(meant(event.value) if event.implicit[0] else event.value, line)

    def begin(self, value: Any, line: int) -> None:
        """Go into a mapping or list."""
        if len(self.open) > DEEPEST:
            raise Damaged(TOO_DEEP, line)
        self.add(value, line)
        self.open.append(value)
        self.keys.append(None)

    def end(self) -> None:
        """Come out of the innermost mapping or list."""
        self.open.pop()
        self.keys.pop()


def begins_yaml(text: str) -> bool:
    """Tell whether a text begins, after comments, with the key of a block mapping."""
    return BEGINNING.match(text) is not None


def documents(file: InputFile) -> tuple[list[Any], list[Rejection]]:
    """Return the values of a file in order, and what is damaged; never raises on content.

    A damaged document costs only itself. Times stay texts, and so do numbers with a fraction:
    a version 1.10 is no 1.1.
    """
    data, lost = content(file)
    found: list[Any] = []
    damaged: list[Rejection] = []
    for part in _parts(data):
        try:
            found += _values(part.data.decode("utf-8", errors="replace").lstrip("\ufeff"))
        except Damaged as why:
            damaged.append(part.rejected(why))
    if lost:
        damaged.append(Rejection(lost, data[-200:], None, len(data)))
    return found, damaged


def meant(plain: str) -> Any:
    """Return what a scalar without quotes means: null, a truth value, an integer, or its text."""
    if plain in NULLS:
        return None
    return int(plain) if INTEGER.fullmatch(plain) else TRUTH.get(plain, plain)


def _parts(data: bytes) -> Iterator[Part]:
    """Split before each separator, so that damage ends where the next document begins."""
    starts = [0, *(found.start() for found in SEPARATOR.finditer(data) if found.start())]
    line = 1
    for begin, end in zip(starts, [*starts[1:], len(data)], strict=True):
        text = data[begin:end]
        # A directive (%YAML 1.2) says nothing here; its line stays, so that lines count right.
        yield Part(DIRECTIVE.sub(b"\n", text) if text[:1] == b"%" else text, line, begin)
        line += text.count(b"\n")


def _values(text: str) -> list[Any]:
    """Build the values of a text, without those that are empty. Raises Damaged."""
    building, line = Building(), 0
    events: Iterator[Any] = yaml.parse(text, Loader=yaml.CSafeLoader)
    try:
        for event in events:
            line = event.start_mark.line
            _take(event, building, line)
    except yaml.YAMLError as wrong:
        raise _damage(wrong, text, line) from wrong
    values: list[Any] = building.open[0]
    return [value for value in values if value is not None]


def _damage(wrong: yaml.YAMLError, text: str, line: int) -> Damaged:
    """What is wrong, and in which line: a mark shows it, or the place of an odd character."""
    mark, position = getattr(wrong, "problem_mark", None), getattr(wrong, "position", None)
    if position is not None:
        line = text.encode()[:position].count(b"\n")
    problem = getattr(wrong, "problem", None) or getattr(wrong, "reason", "")
    return Damaged(f"not YAML: {problem}", mark.line if mark else line)


def _take(event: Any, building: Building, line: int) -> None:
    kind = type(event)
    if getattr(event, "anchor", None) is not None:
        raise Damaged(ANCHORED, line)
    if kind is yaml.ScalarEvent:
        building.add_scalar(event, line)
    elif kind is yaml.MappingStartEvent:
        building.begin({}, line)
    elif kind is yaml.SequenceStartEvent:
        building.begin([], line)
    elif kind in (yaml.MappingEndEvent, yaml.SequenceEndEvent):
        building.end()
