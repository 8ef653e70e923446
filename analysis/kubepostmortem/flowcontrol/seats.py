"""How requests of a priority level take seats, and give them back; compiled.

A queue is charged what its request is taken for when that is dispatched, and gets back the
difference when it is known how long it really took.
"""

from __future__ import annotations

from numba.extending import register_jitable

from kubepostmortem.flowcontrol.meters import (
    NS_OF_WORK,
    note_demand,
    work,
)
from kubepostmortem.flowcontrol.queues import (
    GUESS_NS,
    asked_work,
    dequeue,
    keep_up,
    note_rest,
    remove,
)
from kubepostmortem.flowcontrol.state import (
    DISPATCHED_NS,
    EXECUTING,
    EXEMPT,
    FINAL_SEATS,
    HEAD,
    IN_PLACE,
    INITIAL_SEATS,
    LAST_SERVED,
    LIMIT,
    LINGER_NS,
    LINGERS_NS,
    NOWHERE,
    PLACE,
    QUEUE,
    QUEUES,
    RUNNING,
    SEATS,
    SEATS_OF_QUEUES,
    SEATS_USED,
    SEATS_WAITING,
    START_R,
    USED_SEATS,
    WAITERS,
    WANTED,
    Levels,
    Requests,
)


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
def dispatch(levels: Levels, level: int, requests: Requests, queue: int, ns: int) -> None:
    """Let the head of a queue execute.

    Final seats beyond the limit become fewer and linger longer. The API server lowers its count of
    seats waiting by the narrower width, so that count drifts upwards; the demand for seats does.
    """
    counters = levels.counters[level]
    request = levels.queues[queue, HEAD]
    asked = asked_work(requests, request)
    dequeue(levels, level, requests, request, queue)
    _squeeze(requests, request, counters[LIMIT])
    seats = requests.numbers[request, SEATS]
    counters[LAST_SERVED] = levels.queues[queue, PLACE]
    counters[SEATS_WAITING] -= seats
    counters[SEATS_OF_QUEUES] += seats * levels.queues[queue, IN_PLACE]
    levels.queues[queue, RUNNING] += 1
    levels.queues[queue, USED_SEATS] += seats
    execute(levels, level, requests, request, ns)
    levels.queues[queue, START_R] += asked
    keep_up(levels, requests, queue)


@register_jitable
def _squeeze(requests: Requests, request: int, limit: int) -> None:
    final = requests.numbers[request, FINAL_SEATS]
    if final > limit:
        lingering = work(float(final), requests.times[request, LINGER_NS])
        requests.numbers[request, SEATS] = max(requests.numbers[request, INITIAL_SEATS], limit)
        requests.times[request, LINGERS_NS] = int(float(lingering) / float(limit) * NS_OF_WORK)


@register_jitable
def execute(levels: Levels, level: int, requests: Requests, request: int, ns: int) -> None:
    """Count a request as executing."""
    levels.counters[level, EXECUTING] += 1
    levels.counters[level, SEATS_USED] += requests.numbers[request, SEATS]
    requests.times[request, DISPATCHED_NS] = ns
    note_demand(levels, level, ns)


@register_jitable
def finish(levels: Levels, level: int, requests: Requests, request: int, ns: int) -> None:
    """Count a request as done, and correct its queue by how long it really took."""
    levels.counters[level, EXECUTING] -= 1
    queue = requests.numbers[request, QUEUE]
    if queue == NOWHERE:
        return
    levels.queues[queue, RUNNING] -= 1
    took_ns = ns - requests.times[request, DISPATCHED_NS]
    seats = float(requests.numbers[request, INITIAL_SEATS])
    levels.queues[queue, START_R] -= work(seats, GUESS_NS - took_ns)
    note_rest(levels, level, queue)
    keep_up(levels, requests, queue)


@register_jitable
def release(levels: Levels, level: int, requests: Requests, request: int, ns: int) -> None:
    """Free the seats of a request; a queue too many goes when nothing is left in it."""
    seats = requests.numbers[request, SEATS]
    levels.counters[level, SEATS_USED] -= seats
    note_demand(levels, level, ns)
    queue = requests.numbers[request, QUEUE]
    if queue == NOWHERE:
        return
    levels.queues[queue, USED_SEATS] -= seats
    levels.counters[level, SEATS_OF_QUEUES] -= seats * levels.queues[queue, IN_PLACE]
    too_many = levels.counters[level, QUEUES] > levels.counters[level, WANTED]
    if too_many and levels.queues[queue, WAITERS] == 0 and levels.queues[queue, RUNNING] == 0:
        remove(levels, level, levels.queues[queue, PLACE])
