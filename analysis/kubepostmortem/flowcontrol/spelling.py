"""Text that came from outside, as messages, comments and manifests may hold it.

User names and resources are whatever a client sent: they may hold line breaks, escape sequences
for a terminal and marks that turn the direction of text.
"""

from __future__ import annotations

import re

PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9./-]*")
WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})  # no text to YAML
MOST_SHOWN = 100  # characters of a value in a message


def printable(text: str) -> str:
    """Return text on one line; characters that do more than show themselves are written out."""
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def shown(value: object) -> str:
    """Return what a message says of a value."""
    text = repr(value)
    return printable(text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}...")


def scalar(value: str | int | bool) -> str:
    """Write a value as YAML that any version of YAML reads as this value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) or (PLAIN.fullmatch(value) and value.lower() not in WORDS):
        return str(value)
    return f'"{printable(value.translate(QUOTED))}"'


QUOTED = str.maketrans({'"': '\\"', "\\": "\\\\"})


def _escaped(char: str) -> str:
    code = ord(char)
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return f"\\u{code:04x}" if code > 0xFF else f"\\x{code:02x}"
