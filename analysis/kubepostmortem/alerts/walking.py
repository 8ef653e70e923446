"""Lookups in an expression, and expressions with other selectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from kubepostmortem.alerts.syntax import (
    Aggregate,
    Binary,
    Call,
    Expression,
    Number,
    Range,
    Selector,
    Subquery,
    Text,
)

Change = Callable[[Selector], Expression]


def rewritten(expression: Expression, change: Change) -> Expression:
    """Return the expression with every selector changed; within a range it must stay one."""
    match expression:
        case Number() | Text():
            return expression
        case Selector():
            return change(expression)
        case Range(selector=selector):
            changed = change(selector)
            if not isinstance(changed, Selector):
                raise TypeError(f"{selector.metric} stands in a range")
            return replace(expression, selector=changed)
        case Call(arguments=arguments):
            return replace(expression, arguments=tuple(rewritten(a, change) for a in arguments))
        case Binary(left=left, right=right):
            left, right = rewritten(left, change), rewritten(right, change)
            return replace(expression, left=left, right=right)
        case Subquery(inner=inner) | Aggregate(inner=inner):
            parts: dict[str, Any] = {"inner": rewritten(inner, change)}
            return replace(expression, **parts)


def selectors(expression: Expression) -> tuple[Selector, ...]:
    """Return all selectors in the order of reading, each once."""
    return tuple(dict.fromkeys(_selectors(expression)))


def _selectors(expression: Expression) -> Iterator[Selector]:
    for one in walk(expression):
        if isinstance(one, Selector):
            yield one


def walk(expression: Expression) -> Iterator[Expression]:
    """Give an expression and all that it is made of."""
    yield expression
    match expression:
        case Range(selector=selector):
            yield selector
        case Call(arguments=arguments):
            for argument in arguments:
                yield from walk(argument)
        case Binary(left=left, right=right):
            yield from walk(left)
            yield from walk(right)
        case Subquery(inner=inner) | Aggregate(inner=inner):
            yield from walk(inner)


def reach_ms(expression: Expression) -> int:
    """Return how far back of a moment the expression looks."""
    match expression:
        case Selector(offset_ms=offset):
            return offset
        case Range(selector=selector, range_ms=span):
            return span + selector.offset_ms
        case Subquery(inner=inner, range_ms=span, offset_ms=offset):
            return span + offset + reach_ms(inner)
        case Call(arguments=arguments):
            return max((reach_ms(one) for one in arguments), default=0)
        case Binary(left=left, right=right):
            return max(reach_ms(left), reach_ms(right))
        case Aggregate(inner=inner):
            return reach_ms(inner)
        case Number() | Text():
            return 0
