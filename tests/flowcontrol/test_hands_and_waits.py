"""Shuffle sharding and Retry-After: what must always hold."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubepostmortem.flowcontrol.hashing import can_deal, flow_hash, hand
from kubepostmortem.flowcontrol.retry_after import retry_after_s

SECOND_NS = 1_000_000_000


@given(
    hashed=st.integers(0, 2**64 - 1),
    queues=st.integers(1, 512),
    hand_size=st.integers(1, 12),
)
def test_a_hand_holds_different_queues(hashed: int, queues: int, hand_size: int) -> None:
    if not can_deal(queues, hand_size):
        return

    dealt = hand(hashed, queues, hand_size)

    assert len(set(dealt)) == hand_size
    assert set(dealt) <= set(range(queues))


@pytest.mark.parametrize(("queues", "hand_size", "dealt"), [(33, 12, False), (32, 12, True)])
def test_a_hand_takes_up_60_bits_at_most(queues: int, hand_size: int, dealt: bool) -> None:
    assert can_deal(queues, hand_size) is dealt


def test_every_hand_is_dealt_about_as_often() -> None:
    dealt = Counter(hand(flow_hash("s", str(user)), 4, 2) for user in range(12_000))

    assert len(dealt) == 4 * 3
    assert max(dealt.values()) < 1.2 * min(dealt.values())


def test_flows_of_two_schemas_differ() -> None:
    assert flow_hash("a", "b") != flow_hash("b", "a")


def drops(*per_second: int) -> np.ndarray:
    """So many drops in each second, from the first on."""
    times = [
        second * SECOND_NS + number
        for second, many in enumerate(per_second)
        for number in range(many)
    ]
    return np.array(times, dtype=np.int64)


def told(*per_second: int) -> list[int]:
    """What the last client of each second with drops is told."""
    dropped = drops(*per_second)
    last = {
        int(t) // SECOND_NS: int(s) for t, s in zip(dropped, retry_after_s(dropped), strict=True)
    }
    return list(last.values())


def test_waits_double_while_many_are_dropped() -> None:
    assert told(*[100] * 70)[:16] == [1, 2, 2, 4, 4, 4, 4, 8, 8, 8, 8, 8, 8, 8, 8, 16]
    assert max(told(*[100] * 200)) == 32


def test_waits_shrink_while_few_are_dropped() -> None:
    assert told(9, 9, 9, 9, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1)[-2:] == [3, 2]


def test_waits_stay_while_as_many_seconds_as_drops_go_by() -> None:
    """Once clients wait 8 s, one drop each second keeps them waiting so long."""
    assert told(3, 6, 6, 6, 6, *[1] * 12)[-3:] == [8, 8, 8]


@pytest.mark.parametrize("few", [1, 2])
def test_few_drops_wait_one_second(few: int) -> None:
    assert set(told(*[few] * 20)) == {1}


def test_no_drops_no_waits() -> None:
    assert retry_after_s(np.array([], dtype=np.int64)).tolist() == []


def test_drops_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="order"):
        retry_after_s(np.array([3 * SECOND_NS, SECOND_NS]))


@given(st.lists(st.integers(0, 40), max_size=80))
def test_waits_stay_in_bounds(per_second: list[int]) -> None:
    assert all(1 <= wait <= 32 for wait in told(*per_second))
