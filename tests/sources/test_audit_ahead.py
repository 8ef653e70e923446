"""What is made ahead of need: all of it, in order, with its errors, and no more than is wanted."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from time import monotonic, sleep

import pytest

from kubepostmortem.sources.audit_ahead import AHEAD, ahead


def until(true) -> None:
    """Wait until this is true; the test fails where it never is."""
    began = monotonic()
    while not true():
        assert monotonic() - began < 10
        sleep(0.001)


@pytest.mark.parametrize("number", [0, 1, AHEAD, 50])
def test_everything_comes_in_order(number: int) -> None:
    assert list(ahead(iter(range(number)))) == list(range(number))


def test_the_next_ones_are_made_while_the_caller_is_at_work() -> None:
    made: list[int] = []

    def making() -> Iterator[int]:
        for number in range(50):
            made.append(number)
            yield number

    with closing(ahead(making())) as parts:
        assert next(parts) == 0
        until(lambda: len(made) == 1 + AHEAD)
        sleep(0.05)
        assert len(made) == 1 + AHEAD


def test_what_making_raises_comes_behind_what_was_made() -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise PermissionError("no")

    parts = ahead(failing())
    assert next(parts) == 1
    with pytest.raises(PermissionError, match="no"):
        next(parts)


def test_a_caller_that_stops_early_leaves_no_thread() -> None:
    before = threading.active_count()
    with closing(ahead(iter(range(50)))) as parts:
        next(parts)
        assert threading.active_count() == before + 1
    assert threading.active_count() == before
