"""PromQL text to our syntax; the grammar itself is promql-parser's."""

from __future__ import annotations

from datetime import timedelta
from functools import singledispatch
from typing import Any

import promql_parser as grammar

from kubepostmortem.alerts.refusals import CannotEvaluate
from kubepostmortem.alerts.syntax import (
    Aggregate,
    Binary,
    Call,
    Card,
    Expression,
    Matcher,
    Matching,
    Number,
    Range,
    Selector,
    Subquery,
    Text,
)

OPS = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}
CARDS: dict[str, Card] = {
    "OneToOne": "one-to-one",
    "ManyToOne": "many-to-one",
    "OneToMany": "one-to-many",
    "ManyToMany": "many-to-many",
}
DEFAULT_STEP_MS = 60_000  # of subqueries that name none: Prometheus takes its evaluation interval


def parse(text: str) -> Expression:
    """Read PromQL. Raises CannotEvaluate where it is none, or uses what we do not evaluate."""
    try:
        parsed = grammar.parse(text)
    except ValueError as wrong:
        raise CannotEvaluate(text, str(wrong)) from wrong
    return _read(parsed)


@singledispatch
def _read(parsed: Any) -> Expression:
    raise CannotEvaluate(type(parsed).__name__, "this part of PromQL is not evaluated")


@_read.register
def _(parsed: grammar.NumberLiteral) -> Expression:
    return Number(parsed.val)


@_read.register
def _(parsed: grammar.StringLiteral) -> Expression:
    return Text(parsed.val)


@_read.register
def _(parsed: grammar.ParenExpr) -> Expression:
    return _read(parsed.expr)


@_read.register
def _(parsed: grammar.UnaryExpr) -> Expression:
    return Binary("*", Number(-1.0), _read(parsed.expr))


@_read.register
def _(parsed: grammar.VectorSelector) -> Selector:
    if parsed.at is not None or parsed.matchers.or_matchers:
        raise CannotEvaluate(parsed.prettify(), "@ and `or` between matchers are not evaluated")
    matchers = parsed.matchers.matchers
    return Selector(
        parsed.name or "",
        tuple(Matcher(one.name, OPS[_last(one.op)], one.value) for one in matchers),
        _ms(parsed.offset),
    )


@_read.register
def _(parsed: grammar.MatrixSelector) -> Expression:
    selector = _read(parsed.vector_selector)
    assert isinstance(selector, Selector)
    return Range(selector, _ms(parsed.range))


@_read.register
def _(parsed: grammar.SubqueryExpr) -> Expression:
    if parsed.at is not None:
        raise CannotEvaluate(parsed.prettify(), "@ is not evaluated")
    step = _ms(parsed.step) or DEFAULT_STEP_MS
    return Subquery(_read(parsed.expr), _ms(parsed.range), step, _ms(parsed.offset))


@_read.register
def _(parsed: grammar.Call) -> Expression:
    return Call(parsed.func.name, tuple(_read(one) for one in parsed.args))


@_read.register
def _(parsed: grammar.AggregateExpr) -> Expression:
    if parsed.param is not None:
        raise CannotEvaluate(str(parsed.op), "aggregations with a parameter are not evaluated")
    modifier = parsed.modifier
    if modifier is None:
        return Aggregate(str(parsed.op), _read(parsed.expr))
    without = _last(modifier.type) == "Without"
    return Aggregate(str(parsed.op), _read(parsed.expr), tuple(modifier.labels), without)


@_read.register
def _(parsed: grammar.BinaryExpr) -> Expression:
    matching, as_bool = _matching(parsed.modifier)
    return Binary(str(parsed.op), _read(parsed.lhs), _read(parsed.rhs), matching, as_bool)


def _matching(modifier: grammar.BinModifier | None) -> tuple[Matching, bool]:
    if modifier is None:
        return Matching(), False
    labels = modifier.matching
    return Matching(
        card=CARDS[_last(modifier.card)],
        on=labels is not None and _last(labels.type) == "Include",
        labels=tuple(labels.labels) if labels else (),
        taken_over=tuple(modifier.group_labels or ()),
    ), modifier.return_bool


def _last(member: object) -> str:
    """Return the name of a member of one of the parser's enumerations."""
    return str(member).rsplit(".", 1)[-1]


def _ms(duration: timedelta | None) -> int:
    return 0 if duration is None else round(duration.total_seconds() * 1000)
