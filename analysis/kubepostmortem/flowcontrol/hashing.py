"""Which queues a flow may use: a hash of the flow, and the hand that shuffle sharding deals to it.

KEP-1040 and Amazon's "Workload isolation using shuffle-sharding" describe the method.
"""

from __future__ import annotations

import hashlib
import math
from functools import lru_cache

HASH_BITS = 64
MOST_QUEUES = 1 << 26
MOST_BITS = 60  # of a hash that a hand may use up, so that all hands are about as likely


def flow_hash(flow_schema: str, distinguisher: str) -> int:
    """Return the hash of a flow, an unsigned integer of 64 bits."""
    named = f"{flow_schema}\0{distinguisher}".encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.sha256(named).digest()[: HASH_BITS // 8], "little")


def entropy_bits(queues: int, hand_size: int) -> int:
    """Return how many bits of a hash it takes to deal a hand."""
    return math.ceil(math.log2(queues) * hand_size) if queues > 0 else 0


def can_deal(queues: int, hand_size: int) -> bool:
    """Return whether the API server takes this hand size for so many queues."""
    possible = 0 < hand_size <= queues <= MOST_QUEUES
    return possible and entropy_bits(queues, hand_size) <= MOST_BITS


@lru_cache(maxsize=1 << 16)
def hand(hash_value: int, queues: int, hand_size: int) -> tuple[int, ...]:
    """Return the queues of a flow: different numbers below queues, as they are dealt."""
    dealt: list[int] = []
    for left in range(queues, queues - hand_size, -1):
        hash_value, place = divmod(hash_value, left)
        dealt.append(_undealt(place, dealt))
    return tuple(dealt)


def _undealt(place: int, dealt: list[int]) -> int:
    """Return the queue at this place among those that have not been dealt."""
    for queue in sorted(dealt):
        if queue > place:
            break
        place += 1
    return place
