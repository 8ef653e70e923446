"""How requests begin to execute, on a core of their own or on a share of the cores; compiled."""

from __future__ import annotations

from numba.extending import register_jitable

from kubepostmortem.flowcontrol.clients import ask_again, leaves_ns
from kubepostmortem.flowcontrol.ending import go_on, note_end
from kubepostmortem.flowcontrol.events import CUT, FINISH, WATCH_END, push
from kubepostmortem.flowcontrol.processor import admit, is_shared
from kubepostmortem.flowcontrol.state import (
    BYPASS,
    CALL,
    DISPATCHED_NS,
    EXECUTED,
    NEVER,
    NOWHERE,
    RECEIVED_NS,
    SERVICE_NS,
    STOP_NS,
    WATCH_NS,
)
from kubepostmortem.flowcontrol.world import World


@register_jitable
def begin(world: World, request: int, ns: int) -> None:
    """Let a request that has its seats execute; of a watch, count that it goes on."""
    requests, watching = world.requests, world.watching
    watched = watching.watched[requests.numbers[request, CALL]]
    if watched != NOWHERE:
        watching.going_on[watched] += 1
    if is_shared(world.processor):
        _begin_sharing(world, request, ns)
        return
    served_ns = ns + requests.times[request, SERVICE_NS]
    cut_ns = cut_off_ns(world, request)
    ended_ns = min(served_ns, cut_ns)
    if ask_again(world.clients):
        world.clients.cut[request] = cut_ns < served_ns
    note_end(requests, request, EXECUTED, ended_ns)
    push(world.levels, ended_ns, FINISH, request)
    if watched != NOWHERE:
        watched_ns = ended_ns + requests.times[request, WATCH_NS]
        push(world.levels, min(watched_ns, cut_ns), WATCH_END, request)


@register_jitable
def _begin_sharing(world: World, request: int, ns: int) -> None:
    note_end(world.requests, request, EXECUTED, NOWHERE)
    admit(world.processor, request, world.requests.times[request, SERVICE_NS], ns)
    cut_ns = cut_off_ns(world, request)
    if cut_ns < NEVER:
        push(world.levels, cut_ns, CUT, request)


@register_jitable
def cut_off_ns(world: World, request: int) -> int:
    """Return when deadline or client end this try, done or not."""
    times = world.requests.times[request]
    return int(min(times[RECEIVED_NS] + times[STOP_NS], leaves_ns(world.clients, request)))


@register_jitable
def pass_by(world: World, request: int, ns: int) -> None:
    """Execute a request that no level sees, beside the processor."""
    times = world.requests.times[request]
    served_ns, cut_ns = ns + times[SERVICE_NS], cut_off_ns(world, request)
    times[DISPATCHED_NS] = ns
    world.clients.cut[request] = cut_ns < served_ns
    note_end(world.requests, request, BYPASS, min(served_ns, cut_ns))
    go_on(world, request, min(served_ns, cut_ns))
