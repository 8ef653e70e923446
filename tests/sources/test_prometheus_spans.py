from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from kubepostmortem.incident import Window
from kubepostmortem.sources.prometheus_spans import (
    LONGEST_MS,
    SHORTEST_MS,
    Span,
    milliseconds,
    spans,
)

EPOCH = datetime(1970, 1, 1)
seconds = st.integers(1_600_000_000, 1_600_100_000)


@given(seconds, st.integers(1, 40_000))
def test_spans_hold_every_instant_of_the_window_once(begin: int, length: int) -> None:
    window = Window(
        EPOCH + timedelta(seconds=begin), EPOCH + timedelta(seconds=begin, milliseconds=length)
    )
    found = spans(window, longest=7000)
    instants = [t for span in found for t in range(span.begin + 1, span.end + 1)]
    assert instants == list(range(begin * 1000, begin * 1000 + length))
    assert all(0 < span.length <= 7000 for span in found)


@given(seconds, seconds, st.integers(1, 100_000))
def test_spans_are_the_same_whatever_the_window_begins_with(a: int, b: int, length: int) -> None:
    """Or a second run with a wider window would ask for all of it anew."""
    end = timedelta(seconds=max(a, b) + length)
    one, other = (spans(Window(EPOCH + timedelta(seconds=begin), EPOCH + end)) for begin in (a, b))
    assert set(min(one, other, key=len)[1:]) <= set(max(one, other, key=len))


@given(st.integers(0, 10**12), st.integers(1, LONGEST_MS))
def test_halves_are_the_whole(begin: int, length: int) -> None:
    whole = Span(begin, begin + length)
    if not whole.halves:
        assert length <= SHORTEST_MS
        return
    first, second = whole.halves
    assert (first.begin, first.end, second.end) == (whole.begin, second.begin, whole.end)
    assert min(first.length, second.length) >= SHORTEST_MS // 2


def test_milliseconds_are_exact() -> None:
    moment = datetime(2024, 12, 11, 22, 53, 0, 999_999)
    assert milliseconds(moment) == 1733957580_999
    assert milliseconds(datetime.fromtimestamp(1, UTC).replace(tzinfo=None)) == 1000
