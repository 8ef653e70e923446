"""What happens next: a binary heap of instants.

At one instant, requests finish and are cut off before seats that linger are freed, then waits end,
then watches, then clients ask again, and requests arrive; among alike, in the order of arrival.
"""

from __future__ import annotations

from numba.extending import register_jitable

from kubepostmortem.flowcontrol.state import EVENTS, Levels

FINISH, CUT, LINGER_END, WAIT_END, WATCH_END, ASK = range(6)
KIND_BITS = 40  # below them, the number of the request


@register_jitable
def push(levels: Levels, ns: int, kind: int, request: int) -> None:
    """Note that this happens to the request then."""
    events = levels.events
    what = (kind << KIND_BITS) | request
    child = levels.clock[EVENTS]
    levels.clock[EVENTS] = child + 1
    while child > 0:
        parent = (child - 1) >> 1
        if events[parent, 0] < ns or (events[parent, 0] == ns and events[parent, 1] < what):
            break
        events[child, 0], events[child, 1] = events[parent, 0], events[parent, 1]
        child = parent
    events[child, 0], events[child, 1] = ns, what


@register_jitable
def pop(levels: Levels) -> tuple[int, int, int]:
    """Take what happens first: when, its kind, the request."""
    events = levels.events
    first_ns, first = events[0, 0], events[0, 1]
    size = levels.clock[EVENTS] - 1
    levels.clock[EVENTS] = size
    ns, what = events[size, 0], events[size, 1]
    parent = 0
    while True:
        child = 2 * parent + 1
        if child >= size:
            break
        right = child + 1
        if right < size and (
            events[right, 0] < events[child, 0]
            or (events[right, 0] == events[child, 0] and events[right, 1] < events[child, 1])
        ):
            child = right
        if ns < events[child, 0] or (ns == events[child, 0] and what < events[child, 1]):
            break
        events[parent, 0], events[parent, 1] = events[child, 0], events[child, 1]
        parent = child
    events[parent, 0], events[parent, 1] = ns, what
    return first_ns, first >> KIND_BITS, first & ((1 << KIND_BITS) - 1)
