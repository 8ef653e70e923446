"""A question asked of the evidence, and its honest answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Any, Literal, Protocol, TypeVar

import polars as pl

from kubepostmortem.errors import MissingEvidence
from kubepostmortem.store import Store

T = TypeVar("T")
DIGITS = 12  # that do not depend on the order in which a database adds up fractions
Status = Literal["answered", "open"]
Confidence = Literal["high", "medium", "low", "none"]


@dataclass(frozen=True)
class Statement:
    """An SQL statement that gave numbers of an answer; parameters are bound by name."""

    shows: str
    sql: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Figure:
    """Rows for a chart of kubepostmortem.charts, named by it; `says` is the chart's message."""

    chart: str
    says: str
    rows: pl.DataFrame


@dataclass(frozen=True)
class Table:
    """Rows that a reader of the report wants to see."""

    says: str
    rows: pl.DataFrame


@dataclass(frozen=True)
class Missing:
    """Evidence that would answer the question, or answer it better, and how to collect it."""

    evidence: str
    collect: str


@dataclass(frozen=True)
class Answer:
    """What the evidence says to one question.

    evidence is plain data (lists, dictionaries, numbers, ISO times) for machines; figures and
    tables are for readers; sql reproduces every number.
    """

    question: str
    status: Status
    confidence: Confidence
    headline: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    caveats: Sequence[str] = ()
    missing: Sequence[Missing] = ()
    sql: Sequence[Statement] = ()
    figures: Sequence[Figure] = ()
    tables: Sequence[Table] = ()


class Question(Protocol):
    """One question of a postmortem."""

    @property
    def id(self) -> str:
        """Short name, as on the command line."""

    @property
    def text(self) -> Mapping[str, str]:
        """The question by language (en, zh)."""

    @property
    def needs(self) -> Sequence[str]:
        """Relations that must hold rows."""

    def answer(self, inquiry: Inquiry) -> Answer:
        """Answer from the evidence. May raise MissingEvidence, which makes an open answer."""


class Inquiry:
    """A store that remembers what was asked of it, so that every number can show its SQL."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.statements: list[Statement] = []

    def frame(self, shows: str, sql: str, **parameters: Any) -> pl.DataFrame:
        """Run a statement and remember it; `shows` says in words what it gives."""
        self.statements.append(Statement(shows, sql, parameters))
        return self._store.frame(sql, **parameters)

    def settled(self, shows: str, sql: str) -> pl.DataFrame:
        """Like frame, for what every question asks: a store runs it once, all of them show it."""
        self.statements.append(Statement(shows, sql))
        return self._store.settled(sql)

    def once(self, name: str, make: Callable[[Inquiry], T]) -> T:
        """Like settled, for what takes several statements and more than SQL."""

        def made() -> tuple[T, list[Statement]]:
            own = Inquiry(self._store)
            return make(own), own.statements

        value, statements = self._store.once(name, made)
        self.statements += [one for one in statements if one not in self.statements]
        return value

    def rows(self, shows: str, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        """Like frame, as dictionaries."""
        return self.frame(shows, sql, **parameters).to_dicts()

    def row(self, shows: str, sql: str, **parameters: Any) -> dict[str, Any]:
        """Like rows, the first one; empty where there is none."""
        return next(iter(self.rows(shows, sql, **parameters)), {})

    def has(self, relation: str) -> bool:
        """Tell whether a relation holds any row."""
        return self._store.has(relation)

    def require(self, *relations: str) -> None:
        """Raise MissingEvidence for the first relation that holds no rows."""
        self._store.require(*relations)


def ask(question: Question, store: Store) -> Answer:
    """Answer a question; missing evidence makes the answer open, never an error."""
    inquiry = Inquiry(store)
    try:
        inquiry.require(*question.needs)
        answer = question.answer(inquiry)
        return replace(answer, evidence=_steady(answer.evidence))
    except MissingEvidence as lacking:
        return Answer(
            question=question.id,
            status="open",
            confidence="none",
            headline=f"Open: this evidence cannot answer it, since {lacking}.",
            missing=[Missing(lacking.relation, lacking.collect)],
            sql=inquiry.statements,
        )


def _steady(value: Any) -> Any:
    """Round plain data, so that the same evidence gives the same answer to the last digit."""
    if isinstance(value, float) and isfinite(value):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, Mapping):
        return {name: _steady(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_steady(inner) for inner in value]
    return value
