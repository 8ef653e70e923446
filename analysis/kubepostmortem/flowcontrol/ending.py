"""How requests end: done, cut off, or refused; and what their clients do then; compiled."""

from __future__ import annotations

from numba.extending import register_jitable

from kubepostmortem.flowcontrol.clients import ask_again, next_try_ns, poll_after
from kubepostmortem.flowcontrol.events import ASK, LINGER_END, WATCH_END, push
from kubepostmortem.flowcontrol.meters import advance_meter
from kubepostmortem.flowcontrol.processor import leave
from kubepostmortem.flowcontrol.seats import finish, release
from kubepostmortem.flowcontrol.state import (
    CALL,
    ENDED_NS,
    EXECUTED,
    LEVEL,
    LINGERS_NS,
    NEVER,
    NOWHERE,
    OUTCOME,
    QUEUE_FULL,
    RECEIVED_NS,
    WATCH_NS,
    Requests,
)
from kubepostmortem.flowcontrol.world import World


@register_jitable
def note_end(requests: Requests, request: int, outcome: int, ns: int) -> None:
    """Write down what becomes of a request, and when."""
    requests.numbers[request, OUTCOME] = outcome
    requests.times[request, ENDED_NS] = ns


@register_jitable
def is_served(requests: Requests, request: int) -> bool:
    """Whether a request shares the processor now."""
    outcome, ended_ns = requests.numbers[request, OUTCOME], requests.times[request, ENDED_NS]
    return bool(outcome == EXECUTED and ended_ns == NOWHERE)


@register_jitable
def end_service(world: World, request: int, cut_ns: int, ns: int) -> None:
    """Note when a request that shared the processor was done, or cut off; a watch goes on."""
    leave(world.processor, ns)
    world.requests.times[request, ENDED_NS] = ns
    call = world.requests.numbers[request, CALL]
    if world.watching.watched[call] != NOWHERE:
        watched_ns = ns + world.requests.times[request, WATCH_NS]
        push(world.levels, min(watched_ns, cut_ns), WATCH_END, request)


@register_jitable
def vacate(world: World, request: int, ns: int) -> None:
    """Give back the seats of a request that is no longer executed, at once or after it lingers."""
    levels, requests = world.levels, world.requests
    level = requests.numbers[request, LEVEL]
    advance_meter(levels, level, ns)
    finish(levels, level, requests, request, ns)
    if requests.times[request, LINGERS_NS] > 0:
        push(levels, ns + requests.times[request, LINGERS_NS], LINGER_END, request)
    else:
        release(levels, level, requests, request, ns)
    go_on(world, request, ns)


@register_jitable
def refuse(world: World, request: int, reason: int, ns: int) -> None:
    """Turn a request away; its client may ask again."""
    note_end(world.requests, request, reason, ns)
    if not ask_again(world.clients):
        return
    level = world.requests.numbers[request, LEVEL]
    again_ns = next_try_ns(world.clients, level, request, reason - QUEUE_FULL, ns)
    if again_ns == NEVER:
        go_on(world, request, ns)
    else:
        push(world.levels, again_ns, ASK, request)


@register_jitable
def go_on(world: World, request: int, ns: int) -> None:
    """Let a client that polls ask what it asks next, not before it has to."""
    if not ask_again(world.clients):
        return
    poll = poll_after(world.clients, world.requests, request, ns)
    if poll != NOWHERE:
        push(world.levels, max(ns, world.requests.times[poll, RECEIVED_NS]), ASK, poll)
