"""The priority levels over a span of time: requests arrive, execute, end; compiled.

The levels share nothing but the watches: these are counted from when they are dispatched, in
whatever level, and make the writes wider that arrive after that.
"""

from __future__ import annotations

from numba.extending import register_jitable

from kubepostmortem.flowcontrol.events import (
    FINISH,
    LINGER_END,
    WAIT_END,
    WATCH_END,
    pop,
    push,
)
from kubepostmortem.flowcontrol.meters import advance_meter
from kubepostmortem.flowcontrol.queues import (
    dispatch,
    enqueue,
    execute,
    finish,
    give_up,
    has_room,
    next_queue,
    queue_of_hand,
    release,
)
from kubepostmortem.flowcontrol.state import (
    ARRIVAL_R,
    CALL,
    CONCURRENCY_LIMIT,
    ENDED_NS,
    EVENTS,
    EXECUTED,
    EXECUTING,
    FINAL_SEATS,
    FLOW,
    HEAD,
    INITIAL_SEATS,
    LEAVING,
    LENGTH_LIMIT,
    LEVEL,
    LIMIT,
    LINGER_NS,
    LINGERS_NS,
    METER,
    MOST_FINAL,
    NEVER,
    NEXT_ARRIVAL,
    NOWHERE,
    OUTCOME,
    PENDING,
    QUEUE,
    QUEUE_FULL,
    QUEUE_PLACE,
    RECEIVED_NS,
    SEATS,
    SEATS_USED,
    SERVICE_NS,
    STOP_NS,
    TIME_OUT,
    WAIT_NS,
    WAITERS,
    WAITING,
    WANTED,
    WATCH_NS,
    Hands,
    Levels,
    Requests,
    Watching,
)
from kubepostmortem.flowcontrol.work import EVENT_NS, WATCHES_PER_SEAT


@register_jitable
def serve(
    levels: Levels, requests: Requests, watching: Watching, hands: Hands, until_ns: int
) -> int:
    """Replay up to an instant, which is left out; return it, or when a level that leaves drained.

    hands: places of queues by flow.
    """
    clock = levels.clock
    while True:
        request = clock[NEXT_ARRIVAL]
        there = request < len(requests.times)
        arrives_ns = requests.times[request, RECEIVED_NS] if there else NEVER
        happens_ns = levels.events[0, 0] if clock[EVENTS] > 0 else NEVER
        ns = min(arrives_ns, happens_ns)
        if ns >= until_ns:
            return until_ns
        if happens_ns <= arrives_ns:
            ns, kind, request = pop(levels)
            happen(levels, requests, watching, ns, kind, request)
        else:
            clock[NEXT_ARRIVAL] += 1
            if requests.numbers[request, LEVEL] != NOWHERE:
                arrive(levels, requests, watching, request, hands)
        level = requests.numbers[request, LEVEL]
        if level != NOWHERE and levels.counters[level, LEAVING] and is_idle(levels, level):
            return int(ns)


@register_jitable
def is_idle(levels: Levels, level: int) -> bool:
    """Whether no request of a level waits or executes; seats may linger."""
    return bool(levels.counters[level, WAITING] == 0 and levels.counters[level, EXECUTING] == 0)


@register_jitable
def happen(
    levels: Levels, requests: Requests, watching: Watching, ns: int, kind: int, request: int
) -> None:
    """Let a request finish, free what lingers, or end its wait if it still waits."""
    level = requests.numbers[request, LEVEL]
    if kind == WATCH_END:
        watching.going_on[watching.watched[requests.numbers[request, CALL]]] -= 1
        return
    if kind == WAIT_END:
        if requests.numbers[request, OUTCOME] == PENDING:
            advance_meter(levels, level, ns)
            give_up(levels, level, requests, request, ns)
            _end(requests, request, TIME_OUT, ns)
        return
    advance_meter(levels, level, ns)
    if kind == LINGER_END:
        release(levels, level, requests, request, ns)
    else:
        finish(levels, level, requests, request, ns)
        if requests.times[request, LINGERS_NS] > 0:
            push(levels, ns + requests.times[request, LINGERS_NS], LINGER_END, request)
        else:
            release(levels, level, requests, request, ns)
    dispatch_all(levels, level, requests, watching, ns)


@register_jitable
def arrive(
    levels: Levels, requests: Requests, watching: Watching, request: int, hands: Hands
) -> None:
    """Execute, queue or refuse a request that arrives."""
    ns, level = requests.times[request, RECEIVED_NS], requests.numbers[request, LEVEL]
    _take_width(levels, level, requests, watching, request)
    advance_meter(levels, level, ns)
    if levels.counters[level, WANTED] > 0:
        _arrive_at_queue(levels, level, requests, watching, request, hands)
    elif has_room(levels, level, requests.numbers[request, SEATS]):
        execute(levels, level, requests, request, ns)
        _begin(levels, requests, watching, request, ns)
    else:
        _end(requests, request, CONCURRENCY_LIMIT, ns)


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
def _arrive_at_queue(
    levels: Levels,
    level: int,
    requests: Requests,
    watching: Watching,
    request: int,
    hands: Hands,
) -> None:
    ns, counters = requests.times[request, RECEIVED_NS], levels.counters[level]
    place = queue_of_hand(levels, level, hands[requests.numbers[request, FLOW]])
    queue = levels.at_place[level, place]
    full = levels.queues[queue, WAITERS] >= counters[LENGTH_LIMIT]
    if full and counters[SEATS_USED] >= counters[LIMIT]:
        _end(requests, request, QUEUE_FULL, ns)
        return
    requests.numbers[request, QUEUE_PLACE], requests.numbers[request, QUEUE] = place, queue
    requests.times[request, ARRIVAL_R] = counters[METER]
    enqueue(levels, level, requests, request, queue, ns)
    dispatch_all(levels, level, requests, watching, ns)
    if requests.numbers[request, OUTCOME] == PENDING:
        push(levels, ns + requests.times[request, WAIT_NS], WAIT_END, request)


@register_jitable
def dispatch_all(
    levels: Levels, level: int, requests: Requests, watching: Watching, ns: int
) -> None:
    """Let waiting requests execute, as long as the next one in turn fits."""
    counters = levels.counters[level]
    while counters[WAITING] > 0 and counters[SEATS_USED] < counters[LIMIT]:
        queue = next_queue(levels, level)
        if queue == NOWHERE:
            return
        request = levels.queues[queue, HEAD]
        if not has_room(levels, level, requests.numbers[request, SEATS]):
            return
        dispatch(levels, level, requests, queue, ns)
        _begin(levels, requests, watching, request, ns)


@register_jitable
def _begin(levels: Levels, requests: Requests, watching: Watching, request: int, ns: int) -> None:
    served_ns = ns + requests.times[request, SERVICE_NS]
    cut_ns = requests.times[request, RECEIVED_NS] + requests.times[request, STOP_NS]
    ended_ns = min(served_ns, cut_ns)
    _end(requests, request, EXECUTED, ended_ns)
    push(levels, ended_ns, FINISH, request)
    watched = watching.watched[requests.numbers[request, CALL]]
    if watched != NOWHERE:
        watching.going_on[watched] += 1
        push(levels, min(ended_ns + requests.times[request, WATCH_NS], cut_ns), WATCH_END, request)


@register_jitable
def _end(requests: Requests, request: int, outcome: int, ns: int) -> None:
    requests.numbers[request, OUTCOME] = outcome
    requests.times[request, ENDED_NS] = ns


@register_jitable
def adjust(
    levels: Levels, level: int, requests: Requests, watching: Watching, limit: int, ns: int
) -> None:
    """Let a level go on with another limit, seats, and with the queues that it has now."""
    advance_meter(levels, level, ns)
    levels.counters[level, LIMIT] = limit
    dispatch_all(levels, level, requests, watching, ns)
