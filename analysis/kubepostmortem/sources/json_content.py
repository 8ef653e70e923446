"""JSON values in a file: one document, several after one another, or one per line."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from kubepostmortem.sources.content import Unusable, content
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.source import EXCERPT_BYTES, Rejection

CUT = "cut off: the JSON does not end"
TOO_DEEP = "JSON nested too deeply"

DECODER = json.JSONDecoder(parse_constant=str)  # NaN is no JSON: a text, not a number
BLANKS = re.compile(r"[ \t\r\n\ufeff]*")
LITERAL = 6  # how far from the end of a text a cut literal (`fals`, `\u00e`) may begin
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def documents(file: InputFile) -> tuple[list[Any], list[Rejection]]:
    """Return the JSON values of a file in order, and what is damaged; never raises on content.

    After a damaged object, reading goes on at the next line that begins with one.
    """
    data, lost = content(file)
    found, damaged = _values(data.decode("utf-8", errors="replace"))
    if lost and not damaged:
        damaged = [Rejection(lost, data[-200:], None, len(data))]
    return found, damaged


def first_object(text: str) -> dict[str, Any]:
    """Return the first object of a text that begins with one, alone or in an array; else {}."""
    opening = re.match(r"[ \t\r\n\ufeff]*(?:\[[ \t\r\n]*)?(?=\{)", text)
    try:
        return DECODER.raw_decode(text, opening.end())[0] if opening else {}
    except (ValueError, RecursionError):
        return {}


def compact(value: Any) -> str:
    """Write a value as JSON with sorted keys. Raises Unusable where it is nested too deeply."""
    try:
        return json.dumps(value, sort_keys=True)
    except RecursionError as wrong:
        raise Unusable(TOO_DEEP) from wrong


def excerpt(value: Any) -> bytes:
    """Return the beginning of a value as JSON, for a rejection."""
    try:
        return json.dumps(value)[:EXCERPT_BYTES].encode()
    except RecursionError:
        return TOO_DEEP.encode()


def _values(text: str) -> tuple[list[Any], list[Rejection]]:
    found: list[Any] = []
    damaged: list[Rejection] = []
    position, place = _skip(text, 0), Place()
    surrogates = SURROGATE.search(text) is not None
    while position < len(text):
        try:
            value, after = DECODER.raw_decode(text, position)
            found.append(_encodable(value) if surrogates else value)
        except (ValueError, RecursionError) as wrong:
            place = place.moved(text, position)
            damaged.append(_damage(text, wrong, place))
            after = _next_object(text, position)
        position = _skip(text, after)
    return found, damaged


def _skip(text: str, position: int) -> int:
    blanks = BLANKS.match(text, position)
    return blanks.end() if blanks else position


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a text, counted in lines and bytes as it moves on."""

    position: int = 0
    line: int = 1
    byte_offset: int = 0

    def moved(self, text: str, position: int) -> Place:
        """The place of a later position."""
        passed = text[self.position : position]
        lines, size = passed.count("\n"), len(passed.encode("utf-8"))
        return Place(position, self.line + lines, self.byte_offset + size)


def _damage(text: str, wrong: Exception, place: Place) -> Rejection:
    excerpt = text[place.position : place.position + EXCERPT_BYTES].encode("utf-8")
    return Rejection(_reason(text, wrong), excerpt, place.line, place.byte_offset)


def _reason(text: str, wrong: Exception) -> str:
    if isinstance(wrong, RecursionError):
        return TOO_DEEP
    if not isinstance(wrong, json.JSONDecodeError):
        return "not JSON: a number too long"
    near_end = wrong.pos >= len(text.rstrip()) - LITERAL
    cut = near_end or wrong.msg.startswith("Unterminated string")
    return CUT if cut else f"not JSON: {wrong.msg.removesuffix(' at')}"


def _next_object(text: str, position: int) -> int:
    """Where a damaged object is followed by one on a line of its own; else the end."""
    if text[position] != "{":
        return len(text)
    after = text.find("\n{", position)
    return len(text) if after < 0 else after + 1


def _encodable(value: Any) -> Any:
    r"""Replace lone surrogates (\ud83d without its pair), which no database can hold."""
    return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", errors="replace"))
