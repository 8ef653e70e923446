"""Whether an expression can give a value at all, from which series there are."""

from __future__ import annotations

from kubepostmortem.alerts.quantiles import BOUND
from kubepostmortem.alerts.series import Samples
from kubepostmortem.alerts.syntax import (
    Aggregate,
    Binary,
    Call,
    Expression,
    Range,
    Selector,
    Subquery,
)
from kubepostmortem.alerts.walking import selectors

UNBOUNDED = "Inf"  # as in +Inf


def possible(expression: Expression, samples: Samples) -> bool:
    """Tell whether the series that it needs are there.

    `absent` of what was never there is not possible: an export without it tells nothing about what
    Prometheus had.
    """
    match expression:
        case Selector(metric=metric, matchers=matchers):
            return bool(samples.matching(metric, matchers).labels)
        case Range(selector=selector):
            return possible(selector, samples)
        case Subquery(inner=inner) | Aggregate(inner=inner):
            return possible(inner, samples)
        case Call(function="absent", arguments=(argument, *_)):
            return all(possible(one, samples) for one in selectors(argument))
        case Call(function="histogram_quantile", arguments=(_, buckets)):
            return possible(buckets, samples) and _whole(buckets, samples)
        case Call(function=function, arguments=arguments):
            return function == "vector" or all(possible(one, samples) for one in arguments)
        case Binary(op="or", left=left, right=right):
            return possible(left, samples) or possible(right, samples)
        case Binary(op="unless", left=left):
            return possible(left, samples)
        case Binary(left=left, right=right):
            return possible(left, samples) and possible(right, samples)
    return True


def _whole(buckets: Expression, samples: Samples) -> bool:
    """Tell whether there is a bucket without bound: quantiles are not known without it."""
    found = (samples.matching(one.metric, one.matchers) for one in selectors(buckets))
    return any(UNBOUNDED in labels.get(BOUND, "") for one in found for labels in one.labels)


def lacking(expression: Expression, samples: Samples) -> tuple[Selector, ...]:
    """Return the selectors that no series matches."""
    return tuple(one for one in selectors(expression) if not possible(one, samples))
