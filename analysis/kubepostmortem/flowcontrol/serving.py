"""The priority levels over a span of time: requests arrive, execute, end; compiled."""

from __future__ import annotations

from numba.extending import register_jitable

from kubepostmortem.flowcontrol.admitting import ask, dispatch_all, wait_ends_ns
from kubepostmortem.flowcontrol.ending import end_service, is_served, refuse, vacate
from kubepostmortem.flowcontrol.events import ASK, CUT, LINGER_END, WAIT_END, WATCH_END, pop
from kubepostmortem.flowcontrol.executing import cut_off_ns
from kubepostmortem.flowcontrol.meters import advance_meter
from kubepostmortem.flowcontrol.processor import done_ns, take_first
from kubepostmortem.flowcontrol.queues import give_up
from kubepostmortem.flowcontrol.seats import release
from kubepostmortem.flowcontrol.state import (
    ARRIVALS_END,
    CALL,
    EVENTS,
    EXECUTING,
    LEAVING,
    LEVEL,
    LIMIT,
    NEVER,
    NEXT_ARRIVAL,
    NOWHERE,
    OUTCOME,
    PENDING,
    RECEIVED_NS,
    TIME_OUT,
    WAITING,
    Hands,
    Levels,
)
from kubepostmortem.flowcontrol.world import World


@register_jitable
def serve(world: World, hands: Hands, until_ns: int) -> int:
    """Replay up to an instant, which is left out; return it, or when a level that leaves drained.

    hands: places of queues by flow.
    """
    levels, requests = world.levels, world.requests
    clock = levels.clock
    while True:
        request = clock[NEXT_ARRIVAL]
        there = request < clock[ARRIVALS_END]
        arrives_ns = requests.times[request, RECEIVED_NS] if there else NEVER
        happens_ns = levels.events[0, 0] if clock[EVENTS] > 0 else NEVER
        served_ns = done_ns(world.processor)
        ns = min(arrives_ns, happens_ns, served_ns)
        if ns >= until_ns:
            return until_ns
        if served_ns <= min(happens_ns, arrives_ns):
            request = take_first(world.processor)
            if is_served(requests, request):
                complete(world, request, ns)
        elif happens_ns <= arrives_ns:
            ns, kind, request = pop(levels)
            happen(world, ns, kind, request, hands)
        else:
            clock[NEXT_ARRIVAL] += 1
            ask(world, request, ns, hands)
        level = requests.numbers[request, LEVEL]
        if level != NOWHERE and levels.counters[level, LEAVING] and is_idle(levels, level):
            return int(ns)


@register_jitable
def is_idle(levels: Levels, level: int) -> bool:
    """Whether no request of a level waits or executes; seats may linger."""
    return bool(levels.counters[level, WAITING] == 0 and levels.counters[level, EXECUTING] == 0)


@register_jitable
def complete(world: World, request: int, ns: int) -> None:
    """End a request that the processor is done with, or that is cut off."""
    end_service(world, request, cut_off_ns(world, request), ns)
    vacate(world, request, ns)
    dispatch_all(world, world.requests.numbers[request, LEVEL], ns)


@register_jitable
def happen(world: World, ns: int, kind: int, request: int, hands: Hands) -> None:
    """Let a request finish, free what lingers, end its wait if it still waits, or ask again."""
    levels, requests, watching = world.levels, world.requests, world.watching
    level = requests.numbers[request, LEVEL]
    if kind == WATCH_END:
        watching.going_on[watching.watched[requests.numbers[request, CALL]]] -= 1
    elif kind == WAIT_END:
        # It may wait once more, in a later try.
        if requests.numbers[request, OUTCOME] == PENDING and ns == wait_ends_ns(world, request):
            advance_meter(levels, level, ns)
            give_up(levels, level, requests, request, ns)
            refuse(world, request, TIME_OUT, ns)
    elif kind == CUT:
        if is_served(requests, request) and ns == cut_off_ns(world, request):
            world.clients.cut[request] = True
            complete(world, request, ns)
    elif kind == ASK:
        ask(world, request, ns, hands)
    else:
        if kind == LINGER_END:
            advance_meter(levels, level, ns)
            release(levels, level, requests, request, ns)
        else:
            vacate(world, request, ns)
        dispatch_all(world, level, ns)


@register_jitable
def adjust(world: World, level: int, limit: int, ns: int) -> None:
    """Let a level go on with another limit, seats, and with the queues that it has now."""
    levels = world.levels
    advance_meter(levels, level, ns)
    levels.counters[level, LIMIT] = limit
    dispatch_all(world, level, ns)
