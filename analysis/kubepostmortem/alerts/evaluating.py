"""PromQL evaluated at many moments at once; values are those that Prometheus 2 gives."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from kubepostmortem.alerts import over_time, rates
from kubepostmortem.alerts.aggregating import REDUCE, aggregated, anywhere
from kubepostmortem.alerts.lookups import Windows, newest, windows
from kubepostmortem.alerts.matching import Operator, combined, intersected, subtracted, united
from kubepostmortem.alerts.operators import COMPARISONS, SETS, applied
from kubepostmortem.alerts.printing import promql
from kubepostmortem.alerts.quantiles import histogram_quantile
from kubepostmortem.alerts.refusals import CannotEvaluate
from kubepostmortem.alerts.series import Floats, Integers, Labels, Samples, Vector, without
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

SPANS: dict[str, Callable[[Windows], Vector]] = {
    "rate": rates.rate,
    "increase": rates.increase,
    "delta": rates.delta,
    "avg_over_time": over_time.avg_over_time,
    "changes": over_time.changes,
    "count_over_time": over_time.count_over_time,
    "last_over_time": over_time.last_over_time,
    "max_over_time": over_time.max_over_time,
    "min_over_time": over_time.min_over_time,
    "sum_over_time": over_time.sum_over_time,
}
Value = Floats | Vector  # a number at each moment, or a vector


def evaluate(expression: Expression, samples: Samples, moments_ms: Integers) -> Vector:
    """Evaluate at these moments; a plain number becomes a series without labels.

    Raises CannotEvaluate for what we do not know, Ambiguous where Prometheus gives an error.
    """
    return _as_vector(Evaluation(samples, moments_ms).value(expression))


class Evaluation:
    """One evaluation; the same part of an expression is evaluated once."""

    def __init__(self, samples: Samples, moments_ms: Integers) -> None:
        self.samples = samples
        self.moments_ms = moments_ms
        self._known: dict[Expression, Value] = {}

    def value(self, expression: Expression) -> Value:
        """Evaluate a part of an expression."""
        if expression not in self._known:
            self._known[expression] = self._value(expression)
        return self._known[expression]

    def vector(self, expression: Expression) -> Vector:
        """Evaluate what must be a vector."""
        value = self.value(expression)
        if not isinstance(value, Vector):
            raise CannotEvaluate(promql(expression), "a vector is needed here")
        return value

    def _value(self, expression: Expression) -> Value:
        match expression:
            case Number(value=number):
                return np.full(len(self.moments_ms), number)
            case Selector(metric=metric, matchers=matchers, offset_ms=offset):
                found = self.samples.matching(metric, matchers)
                return newest(found, self.moments_ms - offset)
            case Aggregate(op=op, inner=inner, labels=labels, without=ignored) if op in REDUCE:
                # Without any label given, all series are one group, not each its own.
                return aggregated(op, self.vector(inner), labels, ignored)
            case Binary():
                return self._binary(expression)
            case Call():
                return self._call(expression)
        raise CannotEvaluate(promql(expression), "not evaluated")

    def _binary(self, binary: Binary) -> Value:
        left, right = self.value(binary.left), self.value(binary.right)
        if isinstance(left, Vector) and isinstance(right, Vector):
            if binary.op in SETS:
                how = {"and": intersected, "or": united, "unless": subtracted}[binary.op]
                return how(left, right, binary.matching)
            operator = Operator(binary.op, binary.as_bool)
            return combined(operator, left, right, binary.matching)
        if isinstance(left, Vector):
            return _with_number(binary, left, applied(binary.op, left.values, right))
        if isinstance(right, Vector):
            return _with_number(binary, right, applied(binary.op, left, right.values))
        return np.asarray(applied(binary.op, left, right), np.float64)

    def _call(self, call: Call) -> Value:
        arguments = call.arguments
        if call.function in SPANS:
            return SPANS[call.function](self._spans(arguments[0]))
        match call.function:
            case "absent":
                return self._absent(arguments[0])
            case "histogram_quantile":
                return histogram_quantile(self._constant(arguments[0]), self.vector(arguments[1]))
            case "label_replace":
                return _relabelled(self.vector(arguments[0]), *map(_text, arguments[1:]))
            case "predict_linear":
                ahead_s = np.asarray(self.value(arguments[1]))
                return over_time.predict_linear(self._spans(arguments[0]), ahead_s)
            case "vector":
                return _as_vector(self.value(arguments[0]))
        raise CannotEvaluate(promql(call), "this function is not evaluated")

    def _spans(self, expression: Expression) -> Windows:
        match expression:
            case Range(selector=selector, range_ms=span):
                found = self.samples.matching(selector.metric, selector.matchers)
                return windows(found, self.moments_ms - selector.offset_ms, span)
            case Subquery(range_ms=span, offset_ms=offset):
                return windows(self._subquery(expression), self.moments_ms - offset, span)
        raise CannotEvaluate(promql(expression), "a span of samples is needed here")

    def _subquery(self, sub: Subquery) -> Samples:
        """Evaluate at multiples of the step, as if its values had been samples."""
        step = sub.step_ms
        earliest = int(self.moments_ms.min()) - sub.offset_ms - sub.range_ms
        latest = int(self.moments_ms.max()) - sub.offset_ms
        moments = np.arange(-(-earliest // step) * step, latest + 1, step, dtype=np.int64)
        inner = evaluate(sub.inner, self.samples, moments)
        rows = zip(inner.labels, inner.values, inner.there, strict=True)
        return Samples.of((labels, moments[there], values[there]) for labels, values, there in rows)

    def _absent(self, argument: Expression) -> Vector:
        there = ~anywhere(self.vector(argument).there)
        labels: Labels = {}
        if isinstance(argument, Selector):
            names = [one.label for one in argument.matchers]
            labels = {
                one.label: one.value
                for one in argument.matchers
                if one.op == "=" and names.count(one.label) == 1
            }
        return Vector([labels], np.ones((1, len(there))), there[None, :]).where(there[None, :])

    def _constant(self, expression: Expression) -> float:
        if isinstance(expression, Number):
            return expression.value
        raise CannotEvaluate(promql(expression), "a number is needed here")


def _with_number(binary: Binary, vector: Vector, found: Floats) -> Vector:
    """Between a vector and a number: comparisons keep the vector's own values."""
    if binary.op in COMPARISONS and not binary.as_bool:
        return vector.where(found.astype(bool))
    return Vector(vector.labels, found.astype(np.float64), vector.there).nameless()


def _as_vector(value: Value) -> Vector:
    if isinstance(value, Vector):
        return value
    return Vector([{}], value[None, :], np.ones((1, len(value)), bool))


def _relabelled(vector: Vector, target: str, new: str, source: str, pattern: str) -> Vector:
    template = re.sub(r"\$(\d+)|\$\{(\w+)\}", lambda m: rf"\g<{m[1] or m[2]}>", new)
    labels = []
    for one in vector.labels:
        found = re.fullmatch(pattern, one.get(source, ""))
        changed = one | {target: found.expand(template)} if found else one
        labels.append(without(changed, [name for name, text in changed.items() if not text]))
    return Vector(labels, vector.values, vector.there)


def _text(expression: Expression) -> str:
    assert isinstance(expression, Text)
    return expression.value
