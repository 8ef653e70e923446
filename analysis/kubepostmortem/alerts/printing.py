"""Our syntax to PromQL text, for readers and for a Prometheus."""

from __future__ import annotations

import json
from functools import singledispatch

from kubepostmortem.alerts.syntax import (
    Aggregate,
    Binary,
    Call,
    Expression,
    Matching,
    Number,
    Range,
    Selector,
    Subquery,
    Text,
)


@singledispatch
def promql(expression: Expression) -> str:
    """Write an expression as PromQL; operators within operators stand in parentheses."""
    raise TypeError(f"not PromQL: {expression!r}")


@promql.register
def _(number: Number) -> str:
    return f"{number.value:.17g}"


@promql.register
def _(text: Text) -> str:
    return json.dumps(text.value, ensure_ascii=False)


@promql.register
def _(selector: Selector) -> str:
    return _selected(selector) + _offset(selector.offset_ms)


@promql.register
def _(span: Range) -> str:
    return (
        f"{_selected(span.selector)}[{_duration(span.range_ms)}]{_offset(span.selector.offset_ms)}"
    )


@promql.register
def _(sub: Subquery) -> str:
    span, step = _duration(sub.range_ms), _duration(sub.step_ms)
    return f"({promql(sub.inner)})[{span}:{step}]{_offset(sub.offset_ms)}"


@promql.register
def _(call: Call) -> str:
    return f"{call.function}({', '.join(map(promql, call.arguments))})"


@promql.register
def _(aggregate: Aggregate) -> str:
    word = "without" if aggregate.without else "by"
    named = aggregate.labels or aggregate.without
    groups = f" {word} ({', '.join(aggregate.labels)}) " if named else ""
    return f"{aggregate.op}{groups}({promql(aggregate.inner)})"


@promql.register
def _(binary: Binary) -> str:
    words = [binary.op, "bool" if binary.as_bool else "", _matching(binary.matching)]
    between = " ".join(filter(None, words))
    return f"{_side(binary.left)} {between} {_side(binary.right)}"


def _selected(selector: Selector) -> str:
    matchers = [f"{one.label}{one.op}{json.dumps(one.value)}" for one in selector.matchers]
    return f"{selector.metric}{{{', '.join(matchers)}}}" if matchers else selector.metric


def _offset(offset_ms: int) -> str:
    return f" offset {_duration(offset_ms)}" if offset_ms else ""


def _side(expression: Expression) -> str:
    text = promql(expression)
    return f"({text})" if isinstance(expression, Binary) else text


def _duration(ms: int) -> str:
    """Write a duration in its largest whole unit."""
    for unit, width in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if ms % width == 0:
            return f"{ms // width}{unit}"
    return f"{ms}ms"


def _matching(matching: Matching) -> str:
    words = []
    if matching.on or matching.labels:
        words.append(f"{'on' if matching.on else 'ignoring'} ({', '.join(matching.labels)})")
    side = {"many-to-one": "group_left", "one-to-many": "group_right"}.get(matching.card)
    if side:
        words.append(f"{side} ({', '.join(matching.taken_over)})")
    return " ".join(words)
