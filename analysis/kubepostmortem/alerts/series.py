"""Samples of many series in flat arrays, and values of many series at moments."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kubepostmortem.alerts.syntax import Matcher

NAME = "__name__"
Labels = dict[str, str]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Truths = NDArray[np.bool_]

MATCHES: dict[str, Callable[[str, str], bool]] = {
    "=": lambda text, value: text == value,
    "!=": lambda text, value: text != value,
    "=~": lambda text, value: re.fullmatch(value, text) is not None,
    "!~": lambda text, value: re.fullmatch(value, text) is None,
}


@dataclass(frozen=True, eq=False)
class Samples:
    """Samples of series one after the other, each series in order of time.

    labels: of each series, the name among them; at_ms: milliseconds since 1970; values: NaN marks
    the end of a series; begins: where each series begins in the arrays, and their length.
    """

    labels: Sequence[Labels]
    at_ms: Integers
    values: Floats
    begins: Integers

    @classmethod
    def of(cls, series: Iterable[tuple[Labels, Integers, Floats]]) -> Samples:
        """Put single series together."""
        listed = list(series)
        none: Sequence[Integers] = [np.empty(0, np.int64)]
        return cls(
            labels=[labels for labels, _, _ in listed],
            at_ms=np.concatenate([*(stamps for _, stamps, _ in listed), *none]),
            values=np.concatenate([*(values for _, _, values in listed), np.empty(0)]),
            begins=np.cumsum([0, *(len(stamps) for _, stamps, _ in listed)], dtype=np.int64),
        )

    @cached_property
    def places(self) -> dict[str, list[int]]:
        """Where the series of each metric stand."""
        places: dict[str, list[int]] = {}
        for place, labels in enumerate(self.labels):
            places.setdefault(labels.get(NAME, ""), []).append(place)
        return places

    def matching(self, metric: str, matchers: Sequence[Matcher]) -> Samples:
        """Return the series of a metric that match; no label is as good as an empty one."""
        return self.take(
            [
                place
                for place in self.places.get(metric, [])
                if all(
                    MATCHES[one.op](self.labels[place].get(one.label, ""), one.value)
                    for one in matchers
                )
            ]
        )

    def take(self, places: Sequence[int]) -> Samples:
        """Return some of the series, in this order."""
        return Samples.of(
            (self.labels[place], self.at_ms[self._of(place)], self.values[self._of(place)])
            for place in places
        )

    def without_ends(self) -> Samples:
        """Return the samples without the marks of ended series."""
        real = ~np.isnan(self.values)
        before = np.concatenate([[0], np.cumsum(real)])
        return Samples(self.labels, self.at_ms[real], self.values[real], before[self.begins])

    def count_until(self, moments_ms: Integers, *, inclusive: bool) -> Integers:
        """Count per series and moment how many entries of the arrays lie before it.

        Entries of earlier series count. Shape: series, moments. inclusive: also those at it.
        """
        if not len(self.at_ms):
            return np.zeros((len(self.labels), len(moments_ms)), np.int64)
        first = min(int(self.at_ms.min()), int(moments_ms.min())) - 1
        width = max(int(self.at_ms.max()), int(moments_ms.max())) - first + 2
        series = np.repeat(np.arange(len(self.labels)), np.diff(self.begins))
        keys = series * width + (self.at_ms - first)
        wanted = np.arange(len(self.labels))[:, None] * width + (moments_ms - first)[None, :]
        return np.searchsorted(keys, wanted, side="right" if inclusive else "left")

    def _of(self, place: int) -> slice:
        return slice(self.begins[place], self.begins[place + 1])


@dataclass(frozen=True, eq=False)
class Vector:
    """Values of series at moments; shape of values and there: series, moments.

    there: whether the series has a value at the moment, which may be NaN.
    """

    labels: Sequence[Labels]
    values: Floats
    there: Truths

    @classmethod
    def empty(cls, moments: int) -> Vector:
        """No series at all."""
        return cls([], np.zeros((0, moments)), np.zeros((0, moments), bool))

    def nameless(self) -> Vector:
        """Return it without the names of metrics, as every calculation does."""
        return Vector([without(one, (NAME,)) for one in self.labels], self.values, self.there)

    def where(self, kept: Truths) -> Vector:
        """Return it with only those values that are kept; series that have none left are gone."""
        there = self.there & kept
        used = np.flatnonzero(there.any(axis=1)).tolist()
        return Vector([self.labels[i] for i in used], self.values[used], there[used])


def without(labels: Labels, names: Sequence[str]) -> Labels:
    """Return labels without these names."""
    return {name: text for name, text in labels.items() if name not in names}


def key(labels: Labels) -> tuple[tuple[str, str], ...]:
    """Return a key of labels: an empty label is none."""
    return tuple(sorted((name, text) for name, text in labels.items() if text))
