"""Rules replayed over what was recorded of one cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

import numpy as np
import polars as pl

from kubepostmortem.alerts.evaluating import evaluate
from kubepostmortem.alerts.jobs import fitted
from kubepostmortem.alerts.possible import lacking, possible
from kubepostmortem.alerts.printing import promql
from kubepostmortem.alerts.recording import Asks, recorded
from kubepostmortem.alerts.refusals import Ambiguous
from kubepostmortem.alerts.rules import Rule, without_refusals
from kubepostmortem.alerts.series import Integers, Samples, Vector
from kubepostmortem.alerts.states import FIRING, PENDING, Spell, spells
from kubepostmortem.alerts.syntax import Expression, Selector

INTERVAL_S = 30  # between evaluations
RELATIONS = {
    "client_fan_out": """
        select evaluated_at, component, value from client_fan_out
        where cluster = $cluster order by component, evaluated_at""",
    "client_load_growth": """
        select evaluated_at, component, value from client_load_growth
        where cluster = $cluster order by component, evaluated_at""",
}


@dataclass(frozen=True)
class Replayed:
    """What became of one rule in one cluster.

    spells: its alerts, pending and firing; evaluated: PromQL as it was evaluated; said: how that
    differs from the rule; lacks: selectors that no series matches; absent: metrics of theirs that
    have no series at all; testable: whether it could fire at
    all; failed: why Prometheus would have refused it, too; short: it looks back further than the
    recording goes; unmuted: its alerts if requests answered 429 did not count, where that differs.
    """

    rule: Rule
    cluster: str
    spells: Sequence[Spell] = ()
    evaluated: str = ""
    said: Sequence[str] = ()
    lacks: Sequence[Selector] = ()
    absent: Sequence[str] = ()
    testable: bool = True
    failed: str = ""
    short: bool = False
    unmuted: Sequence[Spell] = ()

    @cached_property
    def first_pending(self) -> datetime | None:
        """When its expression held first; also of a rule that fires at once."""
        return min((one.began_at for one in self.spells), default=None)

    @cached_property
    def first_firing(self) -> datetime | None:
        """When it fired first."""
        return first(self.spells, FIRING)


def first(found: Sequence[Spell], state: str) -> datetime | None:
    """Return when the first alert was in this state."""
    return min((one.began_at for one in found if one.state == state), default=None)


def replay(
    asks: Asks,
    cluster: str,
    known: Sequence[Rule],
    jobs: Mapping[str, str],
    interval_s: int = INTERVAL_S,
) -> list[Replayed]:
    """Evaluate rules every `interval_s` seconds, at whole multiples of it, over the recording.

    Relations hold what their rules evaluate every 30 seconds, whatever the interval.
    """
    metrics = sorted({metric for rule in known for metric in rule.metrics})
    samples = recorded(asks, cluster, metrics)
    moments_ms = moments(samples, interval_s)
    return [
        _by_relation(rule, asks, cluster)
        if rule.expression is None
        else _by_expression(rule, rule.expression, cluster, samples, moments_ms, jobs)
        for rule in known
    ]


def moments(samples: Samples, interval_s: int) -> Integers:
    """Return when rules are evaluated: from the first sample to the last."""
    at_ms = samples.at_ms[~np.isnan(samples.values)]
    if not len(at_ms):
        return np.empty(0, np.int64)
    step = interval_s * 1000
    first = -(-int(at_ms.min()) // step) * step
    return np.arange(first, int(at_ms.max()) + 1, step, dtype=np.int64)


def _by_expression(
    rule: Rule,
    expression: Expression,
    cluster: str,
    samples: Samples,
    moments_ms: Integers,
    jobs: Mapping[str, str],
) -> Replayed:
    ours = fitted(expression, samples, jobs)
    lacks = lacking(ours.expression, samples)
    absent = [m for m in dict.fromkeys(one.metric for one in lacks) if m not in samples.places]
    read = Replayed(rule, cluster, (), promql(ours.expression), ours.said, lacks, absent)
    if not len(moments_ms) or not possible(ours.expression, samples):
        return replace(read, testable=False)
    try:
        found = spells(evaluate(ours.expression, samples, moments_ms), moments_ms, rule.hold_ms)
    except Ambiguous as refused:
        return replace(read, failed=str(refused))
    return replace(
        read,
        spells=found,
        short=rule.reach_ms > int(moments_ms[-1] - samples.at_ms.min()),
        unmuted=_unmuted(rule, ours.expression, samples, moments_ms, found),
    )


def _unmuted(
    rule: Rule,
    expression: Expression,
    samples: Samples,
    moments_ms: Integers,
    found: Sequence[Spell],
) -> Sequence[Spell]:
    changed = without_refusals(expression)
    if changed == expression:
        return ()
    other = spells(evaluate(changed, samples, moments_ms), moments_ms, rule.hold_ms)
    earlier = any(_earlier(first(other, one), first(found, one)) for one in (PENDING, FIRING))
    return other if earlier else ()


def _earlier(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and (other is None or one < other)


def _by_relation(rule: Rule, asks: Asks, cluster: str) -> Replayed:
    sql = RELATIONS[rule.relation]
    rows = asks.frame(f"what the rule {rule.name} reads", sql, cluster=cluster)
    if rows.is_empty():
        return Replayed(rule, cluster, testable=False)
    vector, moments_ms = _vector(rows, rule.above)
    return Replayed(
        rule,
        cluster,
        spells(vector, moments_ms, rule.hold_ms),
        f"from {rule.relation} where value > {rule.above:g}",
    )


def _vector(rows: pl.DataFrame, above: float) -> tuple[Vector, Integers]:
    """Return what is above, per component, at all moments that the relation has."""
    at_ms = rows["evaluated_at"].dt.epoch("ms").to_numpy()
    moments_ms = np.unique(at_ms)
    names = rows["component"].to_list()
    known = sorted(set(names))
    place = {name: row for row, name in enumerate(known)}
    values = np.zeros((len(known), len(moments_ms)))
    values[[place[one] for one in names], np.searchsorted(moments_ms, at_ms)] = rows["value"]
    vector = Vector([{"component": one} for one in known], values, np.ones(values.shape, bool))
    return vector.where(values > above), moments_ms
