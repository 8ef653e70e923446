"""What the compiled replay works on: the requests as columns, the levels with their queues.

Times are nanoseconds. R, the meter of fair queuing, and work are integers of 1e-8 seat-seconds, as
in the API server, whose rounding decides who is next.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Hands = NDArray[np.int32]  # flow x place in the hand

# What became of a request.
PENDING, EXECUTED, BYPASS, QUEUE_FULL, CONCURRENCY_LIMIT, TIME_OUT = range(6)
NEVER = 1 << 62  # ns
NOWHERE = -1  # no level, no queue, no neighbour in a queue, no hand, no instant

# Counters of a level.
(
    METER,  # R
    METER_NS,  # when R was advanced last
    LAST_SERVED,  # place of the queue that was served last
    ARRIVALS,  # of requests to queues, refused ones too
    WAITING,  # requests
    EXECUTING,  # requests, without lingering ones
    SEATS_USED,  # by requests that execute or linger
    SEATS_WAITING,  # as the API server counts them, see queues.dispatch
    ACTIVE,  # queues where requests wait or execute
    SEATS_OF_QUEUES,  # used or waited for, of the queues in place
    QUEUES,  # in place; more than wanted while they drain
    BUSY,  # queues where requests wait
    LIMIT,  # seats
    WANTED,  # queues; 0: the level rejects, EXEMPT: it has no limit
    HAND,  # queues of a flow
    LENGTH_LIMIT,  # requests waiting in a queue
    MOST_FINAL,  # seats of one request that lingers
    LEAVING,  # 1: the replay stops when the level has drained
    DEMAND_NS,  # when demand was integrated last
    COUNTERS,
) = range(20)
EXEMPT = -1

# Integrals of the demand of a level, in seats and seconds.
DEMAND, HIGHEST, ELAPSED, DEMAND_S, DEMAND2_S, MOMENTS = range(6)

# Where the replay is.
EVENTS, NEXT_ARRIVAL, CLOCK = range(3)


class Requests(NamedTuple):
    """Columns of all requests: what they ask, how the replay goes on with them, what they got.

    wait_ns: most time in a queue; stop_ns: when deadline or client end it; both since it was
    received. watch_ns: how long a watch goes on after it has executed. flow: of a table of hands.
    final_seats, linger_ns: as estimated; seats, lingers_ns: what the request really took.
    """

    received_ns: Ints
    service_ns: Ints
    watch_ns: Ints
    wait_ns: Ints
    stop_ns: Ints
    call: NDArray[np.int32]
    flow: NDArray[np.int32]
    level: NDArray[np.int16]
    initial_seats: NDArray[np.int16]
    final_seats: NDArray[np.int16]
    linger_ns: Ints
    seats: NDArray[np.int16]
    lingers_ns: Ints
    before: NDArray[np.int32]
    after: NDArray[np.int32]
    queue: NDArray[np.int32]
    outcome: NDArray[np.int8]
    place: NDArray[np.int32]
    arrival_r: Ints
    dispatched_ns: Ints
    ended_ns: Ints


class Watching(NamedTuple):
    """Watches that go on, by what they watch: going_on; by call: watched, told (several), widens.

    watched: what a call watches; told: under which watches that are told of a write are counted;
    widens: whether they make it wider.
    """

    watched: Ints
    told: Ints
    widens: NDArray[np.bool_]
    going_on: Ints


class Levels(NamedTuple):
    """Priority levels, a row each, and their queues; a queue's number is never used again.

    at_place, busy: queues of a level; place: where a queue is among those of its level, in_place:
    whether it is. event_ns, event: heap of what happens next.
    """

    counters: Ints
    moments: Floats
    at_place: Ints
    busy: Ints
    start_r: Ints
    head: Ints
    head_work: Ints
    tail: Ints
    waiting: Ints
    waiting_seats: Ints
    waiting_work: Ints
    executing: Ints
    used_seats: Ints
    place: Ints
    in_place: Ints
    busy_place: Ints
    event_ns: Ints
    event: Ints
    clock: Ints


QUEUE_COLUMNS = Levels._fields[Levels._fields.index("start_r") : Levels._fields.index("event_ns")]


def new_requests(
    received_ns: Ints, service_ns: Ints, watch_ns: Ints, call: NDArray[np.integer]
) -> Requests:
    """Return columns of requests that ask one seat each, without limits, and got nothing yet."""
    count = len(received_ns)

    def filled(value: int, kind: type[np.signedinteger]) -> NDArray[np.signedinteger]:
        return np.full(count, value, dtype=kind)

    return Requests(
        received_ns=received_ns,
        service_ns=service_ns,
        watch_ns=watch_ns,
        wait_ns=filled(NEVER, np.int64),
        stop_ns=filled(NEVER, np.int64),
        call=call.astype(np.int32),
        flow=filled(NOWHERE, np.int32),
        level=filled(NOWHERE, np.int16),
        initial_seats=filled(1, np.int16),
        final_seats=filled(0, np.int16),
        linger_ns=filled(0, np.int64),
        seats=filled(0, np.int16),
        lingers_ns=filled(0, np.int64),
        before=np.empty(count, dtype=np.int32),
        after=np.empty(count, dtype=np.int32),
        queue=filled(NOWHERE, np.int32),
        outcome=filled(PENDING, np.int8),
        place=filled(NOWHERE, np.int32),
        arrival_r=filled(NOWHERE, np.int64),
        dispatched_ns=filled(NOWHERE, np.int64),
        ended_ns=filled(NOWHERE, np.int64),
    )


def new_levels(most_events: int) -> Levels:
    """Return no levels yet; most_events: that may lie ahead at once."""
    columns = {name: np.empty(0, dtype=np.int64) for name in QUEUE_COLUMNS}
    return Levels(
        counters=np.empty((0, COUNTERS), dtype=np.int64),
        moments=np.empty((0, MOMENTS)),
        at_place=np.empty((0, 0), dtype=np.int64),
        busy=np.empty((0, 0), dtype=np.int64),
        event_ns=np.empty(most_events, dtype=np.int64),
        event=np.empty(most_events, dtype=np.int64),
        clock=np.zeros(CLOCK, dtype=np.int64),
        **columns,
    )


def with_level(levels: Levels, ns: int) -> Levels:
    """Return the levels and one more, without queues, from an instant on."""
    counters = np.zeros((1, COUNTERS), dtype=np.int64)
    counters[0, [METER_NS, DEMAND_NS]] = ns
    row = np.zeros((1, levels.at_place.shape[1]), dtype=np.int64)
    return levels._replace(
        counters=np.append(levels.counters, counters, axis=0),
        moments=np.append(levels.moments, np.zeros((1, MOMENTS)), axis=0),
        at_place=np.append(levels.at_place, row, axis=0),
        busy=np.append(levels.busy, row, axis=0),
    )


def with_queues(levels: Levels, level: int, wanted: int) -> Levels:
    """Return the levels, one of them with at least so many queues in place; new ones are empty."""
    begin = int(levels.counters[level, QUEUES])
    added = wanted - begin
    if added <= 0:
        return levels
    known = len(levels.head)
    columns = {
        name: np.append(getattr(levels, name), np.zeros(added, dtype=np.int64))
        for name in QUEUE_COLUMNS
    }
    more = ((0, 0), (0, max(0, wanted - levels.at_place.shape[1])))
    grown = levels._replace(
        at_place=np.pad(levels.at_place, more), busy=np.pad(levels.busy, more), **columns
    )
    grown.head[known:] = grown.tail[known:] = NOWHERE
    grown.in_place[known:] = 1
    grown.place[known:] = np.arange(begin, wanted)
    grown.at_place[level, begin:wanted] = np.arange(known, known + added)
    grown.counters[level, QUEUES] = wanted
    return grown
