"""Fair queuing of one priority level, exactly as the API server does it; compiled.

Method: fair queuing for server requests (Kubernetes KEP-1040), which generalizes Nagle 1987 and
Demers, Keshav and Shenker 1989 to several servers and to service times that are guessed until
they are known. A queue's start R plus the work of its head tells who is served next.
"""

from __future__ import annotations

from numba.extending import register_jitable

from kubepostmortem.flowcontrol.meters import NS_OF_WORK, note_demand, work
from kubepostmortem.flowcontrol.state import (
    ACTIVE,
    ARRIVALS,
    BUSY,
    EXECUTING,
    EXEMPT,
    HAND,
    LAST_SERVED,
    LIMIT,
    METER,
    NOWHERE,
    QUEUES,
    SEATS_OF_QUEUES,
    SEATS_USED,
    SEATS_WAITING,
    WAITING,
    WANTED,
    Ints,
    Levels,
    Requests,
)

GUESS_NS = 3_000_000  # service time, until a request has finished
LEAST = 1 << 62


@register_jitable
def asked_work(requests: Requests, request: int) -> int:
    """Return the work that a request is taken for while it waits."""
    initial = work(float(requests.initial_seats[request]), GUESS_NS)
    return initial + work(float(requests.final_seats[request]), requests.linger_ns[request])


@register_jitable
def has_room(levels: Levels, level: int, seats: int) -> bool:
    """Whether a request of that many seats may execute; one wider than the limit, alone."""
    counters = levels.counters[level]
    if counters[WANTED] == EXEMPT:
        return True
    if seats > counters[LIMIT]:
        return bool(counters[EXECUTING] == 0)
    return bool(counters[SEATS_USED] + seats <= counters[LIMIT])


@register_jitable
def queue_of_hand(levels: Levels, level: int, hand: Ints) -> int:
    """Return the place of the queue of a hand where least work waits; the first of equals."""
    size = levels.counters[level, HAND]
    begin = levels.counters[level, ARRIVALS] % size
    levels.counters[level, ARRIVALS] += 1
    best, least = hand[begin], LEAST
    for turn in range(size):
        place = hand[(begin + turn) % size]
        waiting = levels.waiting_work[levels.at_place[level, place]]
        if waiting < least:
            best, least = place, waiting
    return int(best)


@register_jitable
def enqueue(
    levels: Levels, level: int, requests: Requests, request: int, queue: int, ns: int
) -> None:
    """Let a request wait at the end of a queue."""
    counters = levels.counters[level]
    if levels.waiting[queue] == 0 and levels.executing[queue] == 0:
        levels.start_r[queue] = counters[METER]
        counters[ACTIVE] += 1
    last = levels.tail[queue]
    requests.before[request], requests.after[request] = last, NOWHERE
    if last == NOWHERE:
        levels.head[queue] = request
        _become_busy(levels, level, queue)
    else:
        requests.after[last] = request
    levels.tail[queue] = request
    _count_waiting(levels, level, requests, request, queue, 1)
    counters[SEATS_WAITING] += requests.seats[request]
    note_demand(levels, level, ns)
    keep_up(levels, requests, queue)


@register_jitable
def _count_waiting(
    levels: Levels, level: int, requests: Requests, request: int, queue: int, sign: int
) -> None:
    seats = sign * requests.seats[request]
    levels.counters[level, WAITING] += sign
    levels.counters[level, SEATS_OF_QUEUES] += seats * levels.in_place[queue]
    levels.waiting[queue] += sign
    levels.waiting_seats[queue] += seats
    levels.waiting_work[queue] += sign * asked_work(requests, request)


@register_jitable
def _become_busy(levels: Levels, level: int, queue: int) -> None:
    levels.busy[level, levels.counters[level, BUSY]] = queue
    levels.busy_place[queue] = levels.counters[level, BUSY]
    levels.counters[level, BUSY] += 1


@register_jitable
def _become_quiet(levels: Levels, level: int, queue: int) -> None:
    levels.counters[level, BUSY] -= 1
    last, gap = levels.busy[level, levels.counters[level, BUSY]], levels.busy_place[queue]
    levels.busy[level, gap] = last
    levels.busy_place[last] = gap


@register_jitable
def dequeue(levels: Levels, level: int, requests: Requests, request: int, queue: int) -> None:
    """Take a request out of its queue, wherever it waits there."""
    before, after = requests.before[request], requests.after[request]
    if before == NOWHERE:
        levels.head[queue] = after
    else:
        requests.after[before] = after
    if after == NOWHERE:
        levels.tail[queue] = before
    else:
        requests.before[after] = before
    if levels.head[queue] == NOWHERE and levels.in_place[queue]:
        _become_quiet(levels, level, queue)
    _count_waiting(levels, level, requests, request, queue, -1)


@register_jitable
def keep_up(levels: Levels, requests: Requests, queue: int) -> None:
    """Note a queue's head, and raise its start R to when that arrived: it is owed nothing yet."""
    head = levels.head[queue]
    if head != NOWHERE:
        levels.head_work[queue] = asked_work(requests, head)
        arrived = requests.arrival_r[head]
        levels.start_r[queue] = max(levels.start_r[queue], arrived)


@register_jitable
def next_queue(levels: Levels, level: int) -> int:
    """Return the queue whose head would finish first in R; of equals, the next in turn."""
    counters = levels.counters[level]
    best, least, least_turn = NOWHERE, LEAST, LEAST
    for busy in range(counters[BUSY]):
        queue = levels.busy[level, busy]
        finish = levels.start_r[queue] + levels.head_work[queue]
        turn = (levels.place[queue] - counters[LAST_SERVED] - 1) % counters[QUEUES]
        if finish < least or (finish == least and turn < least_turn):
            best, least, least_turn = queue, finish, turn
    return best


@register_jitable
def dispatch(levels: Levels, level: int, requests: Requests, queue: int, ns: int) -> None:
    """Let the head of a queue execute.

    Final seats beyond the limit become fewer and linger longer. The API server lowers its count of
    seats waiting by the narrower width, so that count drifts upwards; the demand for seats does.
    """
    counters = levels.counters[level]
    request = levels.head[queue]
    asked = asked_work(requests, request)
    dequeue(levels, level, requests, request, queue)
    _squeeze(requests, request, counters[LIMIT])
    seats = requests.seats[request]
    counters[LAST_SERVED] = levels.place[queue]
    counters[SEATS_WAITING] -= seats
    counters[SEATS_OF_QUEUES] += seats * levels.in_place[queue]
    levels.executing[queue] += 1
    levels.used_seats[queue] += seats
    execute(levels, level, requests, request, ns)
    levels.start_r[queue] += asked
    keep_up(levels, requests, queue)


@register_jitable
def _squeeze(requests: Requests, request: int, limit: int) -> None:
    final = requests.final_seats[request]
    if final > limit:
        lingering = work(float(final), requests.linger_ns[request])
        requests.seats[request] = max(requests.initial_seats[request], limit)
        requests.lingers_ns[request] = int(float(lingering) / float(limit) * NS_OF_WORK)


@register_jitable
def execute(levels: Levels, level: int, requests: Requests, request: int, ns: int) -> None:
    """Count a request as executing."""
    levels.counters[level, EXECUTING] += 1
    levels.counters[level, SEATS_USED] += requests.seats[request]
    requests.dispatched_ns[request] = ns
    note_demand(levels, level, ns)


@register_jitable
def finish(levels: Levels, level: int, requests: Requests, request: int, ns: int) -> None:
    """Count a request as done, and correct its queue by how long it really took."""
    levels.counters[level, EXECUTING] -= 1
    queue = requests.queue[request]
    if queue == NOWHERE:
        return
    levels.executing[queue] -= 1
    took_ns = ns - requests.dispatched_ns[request]
    seats = float(requests.initial_seats[request])
    levels.start_r[queue] -= work(seats, GUESS_NS - took_ns)
    _note_rest(levels, level, queue)
    keep_up(levels, requests, queue)


@register_jitable
def _note_rest(levels: Levels, level: int, queue: int) -> None:
    if levels.executing[queue] == 0 and levels.waiting[queue] == 0:
        levels.counters[level, ACTIVE] -= levels.in_place[queue]


@register_jitable
def release(levels: Levels, level: int, requests: Requests, request: int, ns: int) -> None:
    """Free the seats of a request; a queue too many goes when nothing is left in it."""
    seats = requests.seats[request]
    levels.counters[level, SEATS_USED] -= seats
    note_demand(levels, level, ns)
    queue = requests.queue[request]
    if queue == NOWHERE:
        return
    levels.used_seats[queue] -= seats
    levels.counters[level, SEATS_OF_QUEUES] -= seats * levels.in_place[queue]
    too_many = levels.counters[level, QUEUES] > levels.counters[level, WANTED]
    if too_many and levels.waiting[queue] == 0 and levels.executing[queue] == 0:
        _remove(levels, level, levels.place[queue])


@register_jitable
def _remove(levels: Levels, level: int, place: int) -> None:
    """Take the queue at a place out of use.

    A queue that is out already may name a place once more, when its last lingering seats go; the
    API server then drops the queue that moved there, and so do we.
    """
    counters = levels.counters[level]
    if place >= counters[QUEUES]:
        return
    queue = levels.at_place[level, place]
    levels.in_place[queue] = 0
    if levels.waiting[queue] > 0:
        _become_quiet(levels, level, queue)
    counters[SEATS_OF_QUEUES] -= levels.waiting_seats[queue] + levels.used_seats[queue]
    counters[ACTIVE] -= levels.waiting[queue] > 0 or levels.executing[queue] > 0
    counters[QUEUES] -= 1
    for later in range(place, counters[QUEUES]):
        levels.at_place[level, later] = levels.at_place[level, later + 1]
        levels.place[levels.at_place[level, later]] = later
    if counters[LAST_SERVED] >= place:
        counters[LAST_SERVED] -= 1


@register_jitable
def give_up(levels: Levels, level: int, requests: Requests, request: int, ns: int) -> None:
    """Take a request out that waited too long; nothing is dispatched for that."""
    queue = requests.queue[request]
    dequeue(levels, level, requests, request, queue)
    levels.counters[level, SEATS_WAITING] -= requests.seats[request]
    note_demand(levels, level, ns)
    _note_rest(levels, level, queue)
    keep_up(levels, requests, queue)
