"""What happens next: a binary heap of instants.

At one instant, requests finish before seats that linger are freed, then waits end, then watches,
then requests arrive; among alike, in the order of arrival.
"""

from __future__ import annotations

from numba.extending import register_jitable

from kubepostmortem.flowcontrol.state import EVENTS, Levels

FINISH, LINGER_END, WAIT_END, WATCH_END = range(4)
KIND_BITS = 40  # below them, the number of the request


@register_jitable
def push(levels: Levels, ns: int, kind: int, request: int) -> None:
    """Note that this happens to the request then."""
    event_ns, event = levels.event_ns, levels.event
    what = (kind << KIND_BITS) | request
    child = levels.clock[EVENTS]
    levels.clock[EVENTS] = child + 1
    while child > 0:
        parent = (child - 1) >> 1
        if event_ns[parent] < ns or (event_ns[parent] == ns and event[parent] < what):
            break
        event_ns[child], event[child] = event_ns[parent], event[parent]
        child = parent
    event_ns[child], event[child] = ns, what


@register_jitable
def pop(levels: Levels) -> tuple[int, int, int]:
    """Take what happens first: when, its kind, the request."""
    event_ns, event = levels.event_ns, levels.event
    first_ns, first = event_ns[0], event[0]
    size = levels.clock[EVENTS] - 1
    levels.clock[EVENTS] = size
    ns, what = event_ns[size], event[size]
    parent = 0
    while True:
        child = 2 * parent + 1
        if child >= size:
            break
        right = child + 1
        if right < size and (
            event_ns[right] < event_ns[child]
            or (event_ns[right] == event_ns[child] and event[right] < event[child])
        ):
            child = right
        if ns < event_ns[child] or (ns == event_ns[child] and what < event[child]):
            break
        event_ns[parent], event[parent] = event_ns[child], event[child]
        parent = child
    event_ns[parent], event[parent] = ns, what
    return first_ns, first >> KIND_BITS, first & ((1 << KIND_BITS) - 1)
