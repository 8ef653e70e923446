"""Pending and firing: how long an alert's expression has held without a break."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np

from kubepostmortem.alerts.series import NAME, Integers, Labels, Truths, Vector, without

PENDING, FIRING = "pending", "firing"


@dataclass(frozen=True, slots=True)
class Spell:
    """An alert in one state; ended_at: the first evaluation at which it no longer was, or None."""

    state: str
    labels: Labels
    began_at: datetime
    ended_at: datetime | None


def spells(vector: Vector, moments_ms: Integers, hold_ms: int) -> list[Spell]:
    """Return the states of all alerts of a rule, in order of time.

    As in Prometheus an alert is pending from the first evaluation at which its expression gives a
    value, whatever it is, and fires at the first one that is at least `hold_ms` later.
    """
    found = [
        spell
        for labels, there in zip(vector.labels, vector.there, strict=True)
        for spell in _of_one(without(labels, (NAME,)), there, moments_ms, hold_ms)
    ]
    return sorted(found, key=lambda one: (one.began_at, one.state, sorted(one.labels.items())))


def _of_one(labels: Labels, there: Truths, moments_ms: Integers, hold_ms: int) -> Iterator[Spell]:
    for first, end in runs(there):
        held = moments_ms[first:end] - moments_ms[first] >= hold_ms
        fires = first + int(np.argmax(held)) if held.any() else end
        parts = [(PENDING, first, fires), (FIRING, fires, end)]
        for state, begins, ends in parts:
            if begins < ends:
                ended = moment(moments_ms[ends]) if ends < len(moments_ms) else None
                yield Spell(state, labels, moment(moments_ms[begins]), ended)


def runs(truths: Truths) -> Sequence[tuple[int, int]]:
    """Return where truths begin and end to hold, the end exclusive."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], truths.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in list(pairwise(edges))[::2]]


def moment(at_ms: int) -> datetime:
    """Return a naive UTC time."""
    return datetime.fromtimestamp(int(at_ms) / 1000, UTC).replace(tzinfo=None)
