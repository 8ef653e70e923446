"""A processor that the requests of a server share equally; compiled.

While more requests execute than there are cores, each of them goes on at cores divided by
requests of full speed: processor sharing, M/G/1-PS with several servers (Kleinrock 1967). Work is
what a request takes at full speed, nanoseconds.
"""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

import numpy as np
from numba.extending import register_jitable

from kubepostmortem.flowcontrol.state import NEVER, Floats, Ints

# What one request was served since the begin, ns of work; until when, ns; how many share, cores.
SERVED, UNTIL_NS, SHARING, CORES, HELD, STATE = range(6)


class Processor(NamedTuple):
    """A processor, and a heap of when its requests are done, in terms of SERVED; see module.

    CORES 0: there is none, requests take what they are said to take.
    """

    state: Floats
    due: Floats
    request: Ints


def no_processor() -> Processor:
    """Return a server of which each request has as much as it needs."""
    return new_processor(0.0, 0)


def new_processor(cores: float, requests: int) -> Processor:
    """Return an idle processor for so many requests."""
    state = np.zeros(STATE)
    state[CORES] = cores
    return Processor(state, np.zeros(requests), np.zeros(requests, dtype=np.int64))


@register_jitable
def is_shared(processor: Processor) -> bool:
    """Whether requests slow each other down."""
    return bool(processor.state[CORES] > 0)


@register_jitable
def _speed(processor: Processor) -> float:
    state = processor.state
    return float(min(1.0, state[CORES] / max(1.0, state[SHARING])))


@register_jitable
def pass_time(processor: Processor, ns: int) -> None:
    """Serve all requests up to an instant."""
    state = processor.state
    state[SERVED] += (float(ns) - state[UNTIL_NS]) * _speed(processor)
    state[UNTIL_NS] = float(ns)


@register_jitable
def done_ns(processor: Processor) -> int:
    """Return when the next request is done; NEVER if there is none."""
    state = processor.state
    if state[HELD] == 0:
        return NEVER
    left = max(0.0, processor.due[0] - state[SERVED])
    done = float(state[UNTIL_NS] + left / _speed(processor))
    return ceil(done)


@register_jitable
def admit(processor: Processor, request: int, work_ns: int, ns: int) -> None:
    """Let a request share the processor from now on."""
    pass_time(processor, ns)
    state = processor.state
    state[SHARING] += 1
    child = int(state[HELD])
    state[HELD] += 1
    due = state[SERVED] + float(work_ns)
    while child > 0:
        parent = (child - 1) >> 1
        if not _is_before(due, request, processor.due[parent], processor.request[parent]):
            break
        _move(processor, parent, child)
        child = parent
    processor.due[child], processor.request[child] = due, request


@register_jitable
def take_first(processor: Processor) -> int:
    """Take the request that is due first off the heap; it shares until `leave`."""
    first = processor.request[0]
    processor.state[HELD] -= 1
    size = int(processor.state[HELD])
    due, request = processor.due[size], processor.request[size]
    parent = 0
    while 2 * parent + 1 < size:
        child = 2 * parent + 1
        right = child + 1
        if right < size and _is_before(
            processor.due[right],
            processor.request[right],
            processor.due[child],
            processor.request[child],
        ):
            child = right
        if _is_before(due, request, processor.due[child], processor.request[child]):
            break
        _move(processor, child, parent)
        parent = child
    processor.due[parent], processor.request[parent] = due, request
    return int(first)


@register_jitable
def _is_before(due: float, request: int, other_due: float, other: int) -> bool:
    """Whether a request is done before another one; of equals, the one that was offered first."""
    return bool(due < other_due or (due == other_due and request < other))


@register_jitable
def _move(processor: Processor, source: int, target: int) -> None:
    processor.due[target] = processor.due[source]
    processor.request[target] = processor.request[source]


@register_jitable
def leave(processor: Processor, ns: int) -> None:
    """Let one request less share the processor."""
    pass_time(processor, ns)
    processor.state[SHARING] -= 1
