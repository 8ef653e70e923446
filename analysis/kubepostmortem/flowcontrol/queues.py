"""Fair queuing of one priority level, exactly as the API server does it; compiled.

Method: fair queuing for server requests (Kubernetes KEP-1040), which generalizes Nagle 1987 and
Demers, Keshav and Shenker 1989 to several servers and to service times that are guessed until
they are known. A queue's start R plus the work of its head tells who is served next.
"""

from __future__ import annotations

from numba.extending import register_jitable

from kubepostmortem.flowcontrol.meters import (
    note_demand,
    work,
)
from kubepostmortem.flowcontrol.state import (
    ACTIVE,
    AFTER,
    ARRIVAL_R,
    ARRIVALS,
    BEFORE,
    BUSY,
    BUSY_PLACE,
    FINAL_SEATS,
    HAND,
    HEAD,
    HEAD_WORK,
    IN_PLACE,
    INITIAL_SEATS,
    LAST_SERVED,
    LINGER_NS,
    METER,
    NOWHERE,
    PLACE,
    QUEUE,
    QUEUES,
    RUNNING,
    SEATS,
    SEATS_OF_QUEUES,
    SEATS_WAITING,
    START_R,
    TAIL,
    USED_SEATS,
    WAITERS,
    WAITING,
    WAITING_SEATS,
    WAITING_WORK,
    Ints,
    Levels,
    Requests,
)

GUESS_NS = 3_000_000  # service time, until a request has finished
LEAST = 1 << 62


@register_jitable
def asked_work(requests: Requests, request: int) -> int:
    """Return the work that a request is taken for while it waits."""
    initial = work(float(requests.numbers[request, INITIAL_SEATS]), GUESS_NS)
    return initial + work(
        float(requests.numbers[request, FINAL_SEATS]), requests.times[request, LINGER_NS]
    )


@register_jitable
def queue_of_hand(levels: Levels, level: int, hand: Ints) -> int:
    """Return the place of the queue of a hand where least work waits; the first of equals."""
    size = levels.counters[level, HAND]
    begin = levels.counters[level, ARRIVALS] % size
    levels.counters[level, ARRIVALS] += 1
    best, least = hand[begin], LEAST
    for turn in range(size):
        place = hand[(begin + turn) % size]
        waiting = levels.queues[levels.at_place[level, place], WAITING_WORK]
        if waiting < least:
            best, least = place, waiting
    return int(best)


@register_jitable
def enqueue(
    levels: Levels, level: int, requests: Requests, request: int, queue: int, ns: int
) -> None:
    """Let a request wait at the end of a queue."""
    counters = levels.counters[level]
    if levels.queues[queue, WAITERS] == 0 and levels.queues[queue, RUNNING] == 0:
        levels.queues[queue, START_R] = counters[METER]
        counters[ACTIVE] += 1
    last = levels.queues[queue, TAIL]
    requests.numbers[request, BEFORE], requests.numbers[request, AFTER] = last, NOWHERE
    if last == NOWHERE:
        levels.queues[queue, HEAD] = request
        _become_busy(levels, level, queue)
    else:
        requests.numbers[last, AFTER] = request
    levels.queues[queue, TAIL] = request
    _count_waiting(levels, level, requests, request, queue, 1)
    counters[SEATS_WAITING] += requests.numbers[request, SEATS]
    note_demand(levels, level, ns)
    keep_up(levels, requests, queue)


@register_jitable
def _count_waiting(
    levels: Levels, level: int, requests: Requests, request: int, queue: int, sign: int
) -> None:
    seats = sign * requests.numbers[request, SEATS]
    levels.counters[level, WAITING] += sign
    levels.counters[level, SEATS_OF_QUEUES] += seats * levels.queues[queue, IN_PLACE]
    levels.queues[queue, WAITERS] += sign
    levels.queues[queue, WAITING_SEATS] += seats
    levels.queues[queue, WAITING_WORK] += sign * asked_work(requests, request)


@register_jitable
def _become_busy(levels: Levels, level: int, queue: int) -> None:
    levels.busy[level, levels.counters[level, BUSY]] = queue
    levels.queues[queue, BUSY_PLACE] = levels.counters[level, BUSY]
    levels.counters[level, BUSY] += 1


@register_jitable
def _become_quiet(levels: Levels, level: int, queue: int) -> None:
    levels.counters[level, BUSY] -= 1
    last, gap = levels.busy[level, levels.counters[level, BUSY]], levels.queues[queue, BUSY_PLACE]
    levels.busy[level, gap] = last
    levels.queues[last, BUSY_PLACE] = gap


@register_jitable
def dequeue(levels: Levels, level: int, requests: Requests, request: int, queue: int) -> None:
    """Take a request out of its queue, wherever it waits there."""
    before, after = requests.numbers[request, BEFORE], requests.numbers[request, AFTER]
    if before == NOWHERE:
        levels.queues[queue, HEAD] = after
    else:
        requests.numbers[before, AFTER] = after
    if after == NOWHERE:
        levels.queues[queue, TAIL] = before
    else:
        requests.numbers[after, BEFORE] = before
    if levels.queues[queue, HEAD] == NOWHERE and levels.queues[queue, IN_PLACE]:
        _become_quiet(levels, level, queue)
    _count_waiting(levels, level, requests, request, queue, -1)


@register_jitable
def keep_up(levels: Levels, requests: Requests, queue: int) -> None:
    """Note a queue's head, and raise its start R to when that arrived: it is owed nothing yet."""
    head = levels.queues[queue, HEAD]
    if head != NOWHERE:
        levels.queues[queue, HEAD_WORK] = asked_work(requests, head)
        arrived = requests.times[head, ARRIVAL_R]
        levels.queues[queue, START_R] = max(levels.queues[queue, START_R], arrived)


@register_jitable
def next_queue(levels: Levels, level: int) -> int:
    """Return the queue whose head would finish first in R; of equals, the next in turn."""
    counters = levels.counters[level]
    best, least, least_turn = NOWHERE, LEAST, LEAST
    for busy in range(counters[BUSY]):
        queue = levels.busy[level, busy]
        finish = levels.queues[queue, START_R] + levels.queues[queue, HEAD_WORK]
        turn = (levels.queues[queue, PLACE] - counters[LAST_SERVED] - 1) % counters[QUEUES]
        if finish < least or (finish == least and turn < least_turn):
            best, least, least_turn = queue, finish, turn
    return best


@register_jitable
def note_rest(levels: Levels, level: int, queue: int) -> None:
    """Count a queue as no longer in use, if nothing waits or executes in it."""
    if levels.queues[queue, RUNNING] == 0 and levels.queues[queue, WAITERS] == 0:
        levels.counters[level, ACTIVE] -= levels.queues[queue, IN_PLACE]


@register_jitable
def remove(levels: Levels, level: int, place: int) -> None:
    """Take the queue at a place out of use.

    A queue that is out already may name a place once more, when its last lingering seats go; the
    API server then drops the queue that moved there, and so do we.
    """
    counters = levels.counters[level]
    if place >= counters[QUEUES]:
        return
    queue = levels.at_place[level, place]
    levels.queues[queue, IN_PLACE] = 0
    if levels.queues[queue, WAITERS] > 0:
        _become_quiet(levels, level, queue)
    counters[SEATS_OF_QUEUES] -= (
        levels.queues[queue, WAITING_SEATS] + levels.queues[queue, USED_SEATS]
    )
    counters[ACTIVE] -= levels.queues[queue, WAITERS] > 0 or levels.queues[queue, RUNNING] > 0
    counters[QUEUES] -= 1
    for later in range(place, counters[QUEUES]):
        levels.at_place[level, later] = levels.at_place[level, later + 1]
        levels.queues[levels.at_place[level, later], PLACE] = later
    if counters[LAST_SERVED] >= place:
        counters[LAST_SERVED] -= 1


@register_jitable
def give_up(levels: Levels, level: int, requests: Requests, request: int, ns: int) -> None:
    """Take a request out that waited too long; nothing is dispatched for that."""
    queue = requests.numbers[request, QUEUE]
    dequeue(levels, level, requests, request, queue)
    levels.counters[level, SEATS_WAITING] -= requests.numbers[request, SEATS]
    note_demand(levels, level, ns)
    note_rest(levels, level, queue)
    keep_up(levels, requests, queue)
