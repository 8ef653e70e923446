"""Operators between two vectors: which series meet, and what labels the outcome has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kubepostmortem.alerts.aggregating import stacked
from kubepostmortem.alerts.operators import COMPARISONS, applied
from kubepostmortem.alerts.refusals import Ambiguous
from kubepostmortem.alerts.series import NAME, Floats, Labels, Truths, Vector, key, without
from kubepostmortem.alerts.syntax import Matching

Key = tuple[tuple[str, str], ...]
Rows = dict[Key, tuple[Labels, Floats, Truths]]


@dataclass(frozen=True)
class Operator:
    """An operator; as_bool: a comparison that gives 0 or 1; swapped: sides are exchanged."""

    op: str
    as_bool: bool = False
    swapped: bool = False

    @property
    def filters(self) -> bool:
        """Whether it is a comparison that drops what it does not hold for."""
        return self.op in COMPARISONS and not self.as_bool

    def between(self, many: Floats, one: Floats) -> tuple[Floats, Truths]:
        """Return values, and where they are kept."""
        left, right = (one, many) if self.swapped else (many, one)
        found = applied(self.op, left, right)
        if self.filters:
            return left, found
        return found.astype(np.float64), np.ones(found.shape, bool)


def signature(labels: Labels, matching: Matching) -> Key:
    """Return the labels that two series must agree in."""
    if matching.on:
        return tuple((name, labels.get(name, "")) for name in sorted(matching.labels))
    return key(without(labels, (NAME, *matching.labels)))


def combined(operator: Operator, left: Vector, right: Vector, matching: Matching) -> Vector:
    """Apply an operator to series that meet.

    Raises Ambiguous where several series of a side that may only have one meet at one moment.
    """
    if matching.card == "one-to-many":
        swapped = replace(operator, swapped=True)
        return combined(swapped, right, left, replace(matching, card="many-to-one"))
    ones = _ones(right, matching)
    met: dict[Key, Truths] = {}
    rows: Rows = {}
    for labels, values, there in zip(left.labels, left.values, left.there, strict=True):
        sign = signature(labels, matching)
        if sign not in ones:
            continue
        one_labels, one_values, one_there = ones[sign]
        both = there & one_there
        if matching.card == "one-to-one":
            _claim(met, sign, both)
        value, kept = operator.between(values, one_values)
        outcome = _outcome(operator, labels, one_labels, matching)
        _add(rows, outcome, value, both & kept)
    return _vector(rows, left.values.shape[1])


def _ones(vector: Vector, matching: Matching) -> Rows:
    """Return the only series for each signature; several may take turns."""
    ones: Rows = {}
    for labels, values, there in zip(vector.labels, vector.values, vector.there, strict=True):
        _add(ones, labels, values, there, signature(labels, matching))
    return ones


def _claim(met: dict[Key, Truths], sign: Key, there: Truths) -> None:
    before = met.get(sign, np.zeros_like(there))
    if (before & there).any():
        raise Ambiguous(dict(sign))
    met[sign] = before | there


def _add(
    rows: Rows, labels: Labels, values: Floats, there: Truths, name: Key | None = None
) -> None:
    """Add a row to those of the same name; they may not have values at the same moment."""
    name = key(labels) if name is None else name
    if name not in rows:
        rows[name] = labels, values, there
        return
    known, before, was_there = rows[name]
    if (was_there & there).any():
        raise Ambiguous(dict(name))
    rows[name] = known, np.where(there, values, before), was_there | there


def _outcome(operator: Operator, many: Labels, one: Labels, matching: Matching) -> Labels:
    dropped = () if operator.filters else (NAME,)
    labels = without(many, dropped)
    if matching.card == "one-to-one":
        if matching.on:
            return {name: text for name, text in labels.items() if name in matching.labels}
        return without(labels, matching.labels)
    taken = {name: one[name] for name in matching.taken_over if one.get(name)}
    return without(labels, matching.taken_over) | taken


def united(left: Vector, right: Vector, matching: Matching) -> Vector:
    """Return all of the left, and of the right what has no counterpart there at the moment."""
    rows: Rows = {}
    for one in (left, _apart(right, left, matching)):
        for labels, values, there in zip(one.labels, one.values, one.there, strict=True):
            _add(rows, labels, values, there)
    return _vector(rows, left.values.shape[1])


def intersected(left: Vector, right: Vector, matching: Matching) -> Vector:
    """Return what of the left has a counterpart on the right at the moment."""
    return left.where(_met(left.labels, right, matching))


def subtracted(left: Vector, right: Vector, matching: Matching) -> Vector:
    """Return what of the left has none."""
    return _apart(left, right, matching)


def _apart(vector: Vector, other: Vector, matching: Matching) -> Vector:
    return vector.where(~_met(vector.labels, other, matching))


def _met(labels: Sequence[Labels], other: Vector, matching: Matching) -> Truths:
    present: dict[Key, Truths] = {}
    for one, there in zip(other.labels, other.there, strict=True):
        sign = signature(one, matching)
        present[sign] = present.get(sign, np.zeros_like(there)) | there
    never = np.zeros(other.values.shape[1], bool)
    met = [present.get(signature(one, matching), never) for one in labels]
    return np.stack(met) if met else np.zeros((0, len(never)), bool)


def _vector(rows: Rows, moments: int) -> Vector:
    kept = [rows[name] for name in sorted(rows) if rows[name][2].any()]
    return stacked([r[0] for r in kept], [r[1] for r in kept], [r[2] for r in kept], moments)
