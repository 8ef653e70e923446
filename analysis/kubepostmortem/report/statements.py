"""Statements of a report, numbered, each once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubepostmortem.questions.question import Statement


@dataclass(frozen=True)
class Numbered:
    """A statement and its number in the appendix."""

    number: int
    shows: str
    text: str


class Statements:
    """Collects statements; the same SQL with the same parameters has one number."""

    def __init__(self) -> None:
        self._known: dict[str, Numbered] = {}

    @property
    def listed(self) -> list[Numbered]:
        """All statements, in the order in which they were added."""
        return list(self._known.values())

    def add(self, statements: Iterable[Statement]) -> None:
        """Number what is not known yet."""
        for statement in statements:
            text = written(statement)
            if text not in self._known:
                self._known[text] = Numbered(len(self._known) + 1, statement.shows, text)

    def numbered(self, statements: Iterable[Statement]) -> Sequence[Numbered]:
        """Return these statements with their numbers, each once."""
        texts = dict.fromkeys(map(written, statements))
        return [self._known[text] for text in texts]


def written(statement: Statement) -> str:
    """Write a statement with its parameters as comments above it."""
    return "\n".join([*_comments(statement.parameters), statement.sql.strip()])


def _comments(parameters: Mapping[str, Any]) -> list[str]:
    return [
        f"-- ${name} = {json.dumps(value, ensure_ascii=False, default=str)}"
        for name, value in parameters.items()
    ]
