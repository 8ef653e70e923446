"""Series of queries that end get a mark; without it they would go on for five minutes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kubepostmortem.alerts.ends import with_ends
from kubepostmortem.alerts.series import Samples

WHOLE = list(range(0, 300, 15))


def marks(seconds: list[int], *, of_query: bool = True) -> list[int]:
    series = [
        ({"n": str(n)}, np.array(stamps, np.int64) * 1000, np.ones(len(stamps)))
        for n, stamps in enumerate([seconds, WHOLE])
    ]
    marked = with_ends(Samples.of(series), np.array([of_query, True]))
    assert np.all(np.diff(marked.at_ms[: marked.begins[1]]) > 0)
    first = slice(0, marked.begins[1])
    ended = [math.isnan(value) for value in marked.values[first]]
    return [int(t) // 1000 for t, end in zip(marked.at_ms[first], ended, strict=True) if end]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (WHOLE, []),
        ([t for t in WHOLE if not 60 <= t < 120], [60]),
        ([t for t in WHOLE if t < 150], [150]),
        ([t for t in WHOLE if t > 150], []),
        ([0], []),
        ([], []),
    ],
    ids=["whole", "a gap", "ends early", "begins late", "one sample", "no sample"],
)
def test_marks_stand_a_step_after_the_last_sample(seconds: list[int], expected: list[int]) -> None:
    assert marks(seconds) == expected


def test_what_was_scraped_itself_keeps_its_own_marks() -> None:
    assert marks([t for t in WHOLE if t < 150], of_query=False) == []
