"""Clients of a replay: they ask again where they were refused, poll, and leave; compiled.

A request of the replay is one call of a client, with all its tries. Clients of the Kubernetes
library try again after a 429, as late as Retry-After tells, ten times at most.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba.extending import register_jitable
from numpy.typing import NDArray

from kubepostmortem.flowcontrol.retry_after import LONGEST_S, SECOND_NS
from kubepostmortem.flowcontrol.state import NEVER, NOWHERE, RECEIVED_NS, Ints, Requests

# Columns of what a level tells the clients that it refuses; see retry_after for the rules.
WAIT_S, RAISED_S, COUNTED_S, DYNAMIC, COUNTS = range(5)


class Clients(NamedTuple):
    """How the client of each request goes on, a row each; no rows where all of them ask once.

    tries: left; lag_ns: by which it asks again later than it is told to; refused: by reason, from
    QUEUE_FULL on; first_ns: of the first try; patience_ns: how long it goes on from there; cut: it
    was not done in time; next_poll: its request after this one, those left out that it is too late
    for; overflow: level that executes it where its own is full; told: by level, see retry_after.
    """

    tries: NDArray[np.int32]
    lag_ns: Ints
    refused: NDArray[np.int32]
    first_ns: Ints
    patience_ns: Ints
    cut: NDArray[np.bool_]
    next_poll: NDArray[np.int32]
    overflow: NDArray[np.int32]
    told: Ints


def asking_once() -> Clients:
    """Return clients that take what they get."""
    return new_clients(0, 0)


def new_clients(requests: int, levels: int, *, dynamic: bool = True) -> Clients:
    """Return clients that ask once; dynamic: Retry-After grows with refusals, from 1.28 on."""
    told = np.zeros((levels, COUNTS + LONGEST_S), dtype=np.int64)
    told[:, WAIT_S], told[:, RAISED_S] = 1, -LONGEST_S
    told[:, COUNTED_S], told[:, DYNAMIC] = -NEVER, dynamic
    return Clients(
        tries=np.zeros(requests, dtype=np.int32),
        lag_ns=np.zeros(requests, dtype=np.int64),
        refused=np.zeros((requests, 3), dtype=np.int32),
        first_ns=np.full(requests, NOWHERE, dtype=np.int64),
        patience_ns=np.full(requests, NEVER, dtype=np.int64),
        cut=np.zeros(requests, dtype=np.bool_),
        next_poll=np.full(requests, NOWHERE, dtype=np.int32),
        overflow=np.full(requests, NOWHERE, dtype=np.int32),
        told=told,
    )


@register_jitable
def ask_again(clients: Clients) -> bool:
    """Whether clients go on at all."""
    return len(clients.tries) > 0


@register_jitable
def leaves_ns(clients: Clients, request: int) -> int:
    """Return when the client of a request loses its patience."""
    if not ask_again(clients) or clients.patience_ns[request] == NEVER:
        return NEVER
    return int(clients.first_ns[request] + clients.patience_ns[request])


@register_jitable
def next_try_ns(clients: Clients, level: int, request: int, reason: int, ns: int) -> int:
    """Count a refusal; return when the client tries again, NEVER if it does not."""
    clients.refused[request, reason] += 1
    told_ns = retry_after(clients.told[level], ns) * SECOND_NS
    again_ns = ns + told_ns + clients.lag_ns[request]
    if clients.tries[request] <= 0 or again_ns >= leaves_ns(clients, request):
        return NEVER
    clients.tries[request] -= 1
    return int(again_ns)


@register_jitable
def poll_after(clients: Clients, requests: Requests, request: int, ns: int) -> int:
    """Return the poll that follows one which ended then; NOWHERE: it was the last one."""
    poll = clients.next_poll[request]
    while poll != NOWHERE:
        later = clients.next_poll[poll]
        if later == NOWHERE or requests.times[later, RECEIVED_NS] > ns:
            return int(poll)
        poll = later
    return NOWHERE


@register_jitable
def retry_after(told: Ints, ns: int) -> int:
    """Return the Retry-After of a request refused now, seconds; see retry_after.retry_after_s."""
    second = ns // SECOND_NS
    if second != told[COUNTED_S] and told[DYNAMIC]:
        dropped = _dropped(told, second)
        wait = told[WAIT_S]
        if dropped >= 3 * wait and second - told[RAISED_S] >= wait:
            told[WAIT_S], told[RAISED_S] = min(2 * wait, LONGEST_S), second
        elif dropped < wait:
            told[WAIT_S] = max(1, wait - 1)
    _count_drop(told, second)
    return int(told[WAIT_S])


@register_jitable
def _dropped(told: Ints, second: int) -> int:
    """Requests dropped in the seconds before, as many as Retry-After is long."""
    dropped = 0
    for back in range(1, told[WAIT_S] + 1):
        if told[COUNTED_S] - LONGEST_S < second - back <= told[COUNTED_S]:
            dropped += told[COUNTS + (second - back) % LONGEST_S]
    return dropped


@register_jitable
def _count_drop(told: Ints, second: int) -> None:
    if second != told[COUNTED_S]:
        # Seconds without drops leave nothing of an earlier round behind.
        begin = max(told[COUNTED_S] + 1, second - LONGEST_S + 1)
        for passed in range(begin, second + 1):
            told[COUNTS + passed % LONGEST_S] = 0
        told[COUNTED_S] = second
    told[COUNTS + second % LONGEST_S] += 1
