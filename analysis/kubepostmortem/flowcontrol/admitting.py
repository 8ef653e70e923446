"""How requests are admitted: executed at once, queued until it is their turn, or refused; compiled.

The levels share nothing but the watches: these are counted from when they are dispatched, in
whatever level, and make the writes wider that arrive after that.
"""

from __future__ import annotations

from numba.extending import register_jitable

from kubepostmortem.flowcontrol.clients import ask_again, leaves_ns
from kubepostmortem.flowcontrol.ending import refuse
from kubepostmortem.flowcontrol.events import WAIT_END, push
from kubepostmortem.flowcontrol.executing import begin, pass_by
from kubepostmortem.flowcontrol.meters import advance_meter
from kubepostmortem.flowcontrol.queues import enqueue, next_queue, queue_of_hand
from kubepostmortem.flowcontrol.seats import dispatch, execute, has_room
from kubepostmortem.flowcontrol.state import (
    ARRIVAL_R,
    CALL,
    CONCURRENCY_LIMIT,
    FINAL_SEATS,
    FLOW,
    HEAD,
    INITIAL_SEATS,
    LENGTH_LIMIT,
    LEVEL,
    LIMIT,
    LINGER_NS,
    LINGERS_NS,
    METER,
    MOST_FINAL,
    NOWHERE,
    OUTCOME,
    PENDING,
    QUEUE,
    QUEUE_FULL,
    QUEUE_PLACE,
    RECEIVED_NS,
    SEATS,
    SEATS_USED,
    WAIT_NS,
    WAITERS,
    WAITING,
    WANTED,
    Hands,
    Levels,
    Requests,
    Watching,
)
from kubepostmortem.flowcontrol.work import EVENT_NS, WATCHES_PER_SEAT
from kubepostmortem.flowcontrol.world import World


@register_jitable
def ask(world: World, request: int, ns: int, hands: Hands) -> None:
    """Let a client ask, for the first time or again."""
    requests, clients = world.requests, world.clients
    if ask_again(clients):
        requests.times[request, RECEIVED_NS] = ns
        requests.numbers[request, QUEUE] = NOWHERE
        requests.numbers[request, OUTCOME] = PENDING
        if clients.first_ns[request] == NOWHERE:
            clients.first_ns[request] = ns
    if requests.numbers[request, LEVEL] != NOWHERE:
        arrive(world, request, hands)
    elif ask_again(clients):
        pass_by(world, request, ns)


@register_jitable
def arrive(world: World, request: int, hands: Hands) -> None:
    """Execute, queue or refuse a request that arrives."""
    levels, requests = world.levels, world.requests
    ns, level = requests.times[request, RECEIVED_NS], requests.numbers[request, LEVEL]
    _take_width(levels, level, requests, world.watching, request)
    advance_meter(levels, level, ns)
    if levels.counters[level, WANTED] > 0:
        _arrive_at_queue(world, level, request, hands)
    elif has_room(levels, level, requests.numbers[request, SEATS]):
        execute(levels, level, requests, request, ns)
        begin(world, request, ns)
    elif ask_again(world.clients) and world.clients.overflow[request] != NOWHERE:
        requests.numbers[request, LEVEL] = world.clients.overflow[request]
        execute(levels, requests.numbers[request, LEVEL], requests, request, ns)
        begin(world, request, ns)
    else:
        refuse(world, request, CONCURRENCY_LIMIT, ns)


@register_jitable
def _take_width(
    levels: Levels, level: int, requests: Requests, watching: Watching, request: int
) -> None:
    """Widen a write by the watches that are told of it, see work.width; note its width."""
    call = requests.numbers[request, CALL]
    if watching.widens[call]:
        watches = 0
        for place in range(watching.told.shape[1]):
            watched = watching.told[call, place]
            if watched != NOWHERE:
                watches += watching.going_on[watched]
        if watches >= WATCHES_PER_SEAT and levels.counters[level, MOST_FINAL] > 0:
            seats = (watches + WATCHES_PER_SEAT - 1) // WATCHES_PER_SEAT
            final = min(seats, levels.counters[level, MOST_FINAL])
            requests.numbers[request, FINAL_SEATS] = final
            requests.times[request, LINGER_NS] = seats * EVENT_NS // final
    requests.numbers[request, SEATS] = max(
        requests.numbers[request, INITIAL_SEATS], requests.numbers[request, FINAL_SEATS]
    )
    requests.times[request, LINGERS_NS] = requests.times[request, LINGER_NS]


@register_jitable
def _arrive_at_queue(world: World, level: int, request: int, hands: Hands) -> None:
    levels, requests = world.levels, world.requests
    ns, counters = requests.times[request, RECEIVED_NS], levels.counters[level]
    place = queue_of_hand(levels, level, hands[requests.numbers[request, FLOW]])
    queue = levels.at_place[level, place]
    full = levels.queues[queue, WAITERS] >= counters[LENGTH_LIMIT]
    if full and counters[SEATS_USED] >= counters[LIMIT]:
        refuse(world, request, QUEUE_FULL, ns)
        return
    requests.numbers[request, QUEUE_PLACE], requests.numbers[request, QUEUE] = place, queue
    requests.times[request, ARRIVAL_R] = counters[METER]
    enqueue(levels, level, requests, request, queue, ns)
    dispatch_all(world, level, ns)
    if requests.numbers[request, OUTCOME] == PENDING:
        push(levels, wait_ends_ns(world, request), WAIT_END, request)


@register_jitable
def wait_ends_ns(world: World, request: int) -> int:
    """Return until when this try may wait in a queue."""
    times = world.requests.times[request]
    return int(min(times[RECEIVED_NS] + times[WAIT_NS], leaves_ns(world.clients, request)))


@register_jitable
def dispatch_all(world: World, level: int, ns: int) -> None:
    """Let waiting requests execute, as long as the next one in turn fits."""
    levels, requests = world.levels, world.requests
    counters = levels.counters[level]
    while counters[WAITING] > 0 and counters[SEATS_USED] < counters[LIMIT]:
        queue = next_queue(levels, level)
        if queue == NOWHERE:
            return
        request = levels.queues[queue, HEAD]
        if not has_room(levels, level, requests.numbers[request, SEATS]):
            return
        dispatch(levels, level, requests, queue, ns)
        begin(world, request, ns)
