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
REASONS = ("queue-full", "concurrency-limit", "time-out")  # of refusals, from QUEUE_FULL on
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
    SEATS_WAITING,  # as the API server counts them, see seats.dispatch
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

# Where the replay is; ARRIVALS_END: requests from there on arrive after others, as polls.
EVENTS, NEXT_ARRIVAL, ARRIVALS_END, CLOCK = range(4)


# Columns of requests. Durations begin when the request was received.
(
    RECEIVED_NS,
    SERVICE_NS,  # for which it executes
    WATCH_NS,  # for which a watch goes on after that
    WAIT_NS,  # most in a queue
    STOP_NS,  # when deadline or client end it
    LINGER_NS,  # as estimated
    LINGERS_NS,  # as it was at last
    ARRIVAL_R,  # R when it arrived at its queue
    DISPATCHED_NS,  # an instant
    ENDED_NS,  # an instant: executed, refused or given up
    TIMES,
) = range(11)
(
    CALL,
    FLOW,  # of a table of hands
    LEVEL,  # its row
    INITIAL_SEATS,
    FINAL_SEATS,  # as estimated
    SEATS,  # that it takes, executing and lingering
    BEFORE,  # it in its queue
    AFTER,
    QUEUE,  # its number
    QUEUE_PLACE,  # in the level, at arrival
    OUTCOME,
    NUMBERS,
) = range(12)

# Columns of queues.
(
    START_R,
    HEAD,
    HEAD_WORK,
    TAIL,
    WAITERS,  # requests
    WAITING_SEATS,
    WAITING_WORK,
    RUNNING,  # requests, without lingering ones
    USED_SEATS,
    PLACE,  # among the queues of its level
    IN_PLACE,  # 0: it is no longer among them
    BUSY_PLACE,  # among those where requests wait
    QUEUE_COLUMNS,
) = range(13)


class Requests(NamedTuple):
    """All requests, a row each: what they ask, how the replay goes on with them, what they got."""

    times: Ints
    numbers: NDArray[np.int32]


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

    at_place, busy: queues of a level, in use and with requests that wait. events: heap of what
    happens next, when and what.
    """

    counters: Ints
    moments: Floats
    at_place: Ints
    busy: Ints
    queues: Ints
    events: Ints
    clock: Ints


def new_requests(
    received_ns: Ints, service_ns: Ints, watch_ns: Ints, call: NDArray[np.integer]
) -> Requests:
    """Return requests that ask one seat each, without limits, and got nothing yet."""
    times = np.full((len(received_ns), TIMES), NOWHERE, dtype=np.int64)
    numbers = np.full((len(received_ns), NUMBERS), NOWHERE, dtype=np.int32)
    times[:, RECEIVED_NS], times[:, SERVICE_NS] = received_ns, service_ns
    times[:, WATCH_NS], numbers[:, CALL] = watch_ns, call
    times[:, [WAIT_NS, STOP_NS]] = NEVER
    times[:, [LINGER_NS, LINGERS_NS]] = 0
    numbers[:, [FINAL_SEATS, SEATS]] = 0
    numbers[:, INITIAL_SEATS], numbers[:, OUTCOME] = 1, PENDING
    return Requests(times, numbers)


def new_levels(most_events: int) -> Levels:
    """Return no levels yet; most_events: that may lie ahead at once."""
    return Levels(
        counters=np.empty((0, COUNTERS), dtype=np.int64),
        moments=np.empty((0, MOMENTS)),
        at_place=np.empty((0, 0), dtype=np.int64),
        busy=np.empty((0, 0), dtype=np.int64),
        queues=np.empty((0, QUEUE_COLUMNS), dtype=np.int64),
        events=np.empty((most_events, 2), dtype=np.int64),
        clock=np.zeros(CLOCK, dtype=np.int64),
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
    known = len(levels.queues)
    queues = np.zeros((added, QUEUE_COLUMNS), dtype=np.int64)
    queues[:, [HEAD, TAIL]] = NOWHERE
    queues[:, IN_PLACE] = 1
    queues[:, PLACE] = np.arange(begin, wanted)
    more = ((0, 0), (0, max(0, wanted - levels.at_place.shape[1])))
    grown = levels._replace(
        at_place=np.pad(levels.at_place, more),
        busy=np.pad(levels.busy, more),
        queues=np.append(levels.queues, queues, axis=0),
    )
    grown.at_place[level, begin:wanted] = np.arange(known, known + added)
    grown.counters[level, QUEUES] = wanted
    return grown
