"""The parts of a PromQL expression. Durations are milliseconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Card = Literal["one-to-one", "many-to-one", "one-to-many", "many-to-many"]


@dataclass(frozen=True, slots=True)
class Number:
    """A number."""

    value: float


@dataclass(frozen=True, slots=True)
class Text:
    """A string, as label_replace takes it."""

    value: str


@dataclass(frozen=True, slots=True)
class Matcher:
    """A condition on a label; op: = != =~ !~, the last two anchored at both ends."""

    label: str
    op: str
    value: str


@dataclass(frozen=True, slots=True)
class Selector:
    """The newest sample of each series of a metric that matches."""

    metric: str
    matchers: tuple[Matcher, ...] = ()
    offset_ms: int = 0


@dataclass(frozen=True, slots=True)
class Range:
    """All samples of a span before each moment."""

    selector: Selector
    range_ms: int


@dataclass(frozen=True, slots=True)
class Subquery:
    """An expression evaluated at regular moments of a span before each moment."""

    inner: Expression
    range_ms: int
    step_ms: int
    offset_ms: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """A function of its arguments."""

    function: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An operator over groups of series; without: labels are those that groups ignore."""

    op: str
    inner: Expression
    labels: tuple[str, ...] = ()
    without: bool = False


@dataclass(frozen=True, slots=True)
class Matching:
    """How series of two sides find each other; on: labels are those that must agree."""

    card: Card = "one-to-one"
    on: bool = False
    labels: tuple[str, ...] = ()
    taken_over: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Binary:
    """An operator between two sides; as_bool: comparisons give 0 or 1 and filter nothing."""

    op: str
    left: Expression
    right: Expression
    matching: Matching = Matching()
    as_bool: bool = False


Expression = Number | Text | Selector | Range | Subquery | Call | Aggregate | Binary
