"""The priority level of a fence: how many seats, and what happens to requests beyond them."""

from __future__ import annotations

from collections.abc import Iterable

from kubepostmortem.flowcontrol.objects import PriorityLevel, Queuing

LENT_PERCENT = 50
QUEUES = 64  # where there are several flows: two rarely share a queue
MOST_HAND = 6
MOST_WAITING = 50  # requests of one flow


def shares_for(seats: int, server_limit: int, other_shares: int) -> int:
    """Return the fewest shares whose nominal limit is these seats, or else the next smaller one.

    nominal = ceil(server_limit * shares / (other_shares + shares)), KEP-1040, "Dispatching". One
    share more may be worth several seats, so not every number of seats can be had; at least 1 share
    is returned. seats: less than server_limit.
    """
    most = max(1, seats * other_shares // (server_limit - seats))
    reached = -(-server_limit * most // (other_shares + most))
    if reached >= server_limit:
        return most
    return (reached - 1) * other_shares // (server_limit - reached + 1) + 1


def fenced_level(
    name: str, seats: int, server_limit: int, others: Iterable[PriorityLevel]
) -> PriorityLevel:
    """Return a limited level beside others, without queues yet; borrowing is ruled out."""
    shares = shares_for(seats, server_limit, sum(level.shares for level in others))
    lent = LENT_PERCENT if seats > 1 else 0
    return PriorityLevel(name, False, shares, lent, borrowing_limit_percent=0)


def queues_for(several_flows: bool, seats: int, widest: int) -> Queuing:
    """Return queues such that hand size x width stays below the seats, if any hand does.

    A flow may fill as many queues as its hand has, and each gets its turn with a request of this
    width: kubernetes issue 115409. widest: seats of the widest request, 1 or more.
    """
    if not several_flows:
        return Queuing(1, 1, MOST_WAITING)
    hand = min(MOST_HAND, max(1, (seats - 1) // widest))
    return Queuing(QUEUES, hand, MOST_WAITING // hand)
