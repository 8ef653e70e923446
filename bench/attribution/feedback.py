"""What an overloaded API server and its clients do to one another.

Requests that find no seat are answered 429 and come again; the rest take longer; what takes too
long ends in a 5xx; watches break and are read anew; things fail, which is written as events;
controllers that wait for answers do less. All follows from utilisation, the demand that is due
(without immediate retries) over what the server can serve, with a delay.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .timeline import Floats

MOST_REFUSED = 0.85
MOST_AGAIN = 0.95


@dataclass(frozen=True)
class Server:
    """How one server bears load; reactions are in shares of the demand of the cause.

    `capacity_s` is the demand per bin that it can serve, `memory` the weight of the past in
    utilisation (0 to 1), `refusal` scales 429s, `slowness` latency, `waiting_s` queue waits.
    """

    capacity_s: float
    memory: float
    refusal: float
    slowness: float
    waiting_s: float
    failure: float
    relists: float
    events: float
    lag_bins: int


@dataclass(frozen=True)
class Clients:
    """How the clients of each cell bear it; one entry per cell.

    `refused` scales their chance of a 429, `retried` is the share that comes again after
    `delay_s`, `slowed` how much less they do at twice the latency. `broken` and `eventful` are
    the requests of one unit of demand of watches and LISTs, and of events.
    """

    refused: Floats
    retried: Floats
    delay_s: Floats
    slowed: Floats
    broken: Floats
    eventful: Floats


@dataclass(frozen=True)
class Offered:
    """What would be asked of a server that answers all, shape [cells, bins].

    `first` are first tries; `own_throttled` and `own_failed` the shares that are refused whatever
    the load; `cost_s` is per cell; `cause_s` the demand of the cause per bin, to which the
    reactions to an overload are held in proportion.
    """

    first: Floats
    own_throttled: Floats
    own_failed: Floats
    cost_s: Floats
    cause_s: float

    def by_cell(self) -> tuple[Floats, Floats, Floats]:
        """First tries, and the shares of 429 and 5xx."""
        return self.first, self.own_throttled, self.own_failed


@dataclass(frozen=True)
class Response:
    """Requests per cell and bin, shares of them answered 429 and 5xx; latency per bin."""

    requests: Floats
    throttled: Floats
    failed: Floats
    inflation: Floats
    waiting_s: Floats


def respond(offered: Offered, clients: Clients, server: Server, width_s: float) -> Response:
    """Follow the bins: each one's load, with the retries and reactions of those before it."""
    first, own_429, own_5xx = (np.ascontiguousarray(part.T) for part in offered.by_cell())
    requests, throttled, failed = (np.zeros_like(first) for _ in range(3))
    used, inflation = np.zeros(len(first)), np.ones(len(first))
    induced = server.relists * clients.broken + server.events * clients.eventful
    back = 1.0 - np.exp(-width_s / clients.delay_s)
    waiting = np.zeros(first.shape[1])
    utilisation = float(offered.cost_s @ first[0]) / server.capacity_s
    for i, fresh in enumerate(first):
        over = min(max(used[max(i - 1 - server.lag_bins, 0)] - 1.0, 0.0), 1.0)
        slowed = 1.0 + clients.slowed * (inflation[i - 1] - 1.0)
        due = fresh / slowed + over * offered.cause_s * induced + back * waiting
        throttled[i] = _either(own_429[i], _refused(utilisation, clients, server))
        failed[i] = _either(own_5xx[i], _late(utilisation, server))
        again = np.minimum(throttled[i] + failed[i], MOST_AGAIN) * clients.retried
        requests[i] = due / (1.0 - again * back)
        waiting = (1.0 - back) * (waiting + requests[i] * again)
        demand_s = float(offered.cost_s @ due)
        utilisation = _mix(server.memory, utilisation, demand_s / server.capacity_s)
        used[i] = utilisation
        inflation[i] = 1.0 + server.slowness * max(utilisation - 0.6, 0.0) ** 2
    waiting_s = server.waiting_s * np.clip(used - 1.0, 0.0, 1.0)
    return Response(requests.T, throttled.T, failed.T, inflation, waiting_s)


def _refused(utilisation: float, clients: Clients, server: Server) -> Floats:
    """The share of each cell that is answered 429: what exceeds capacity, by priority."""
    excess = max(0.0, 1.0 - 1.0 / max(utilisation, 1e-9))
    return np.clip(server.refusal * excess * clients.refused, 0.0, MOST_REFUSED)


def _late(utilisation: float, server: Server) -> float:
    """The share that takes too long and ends in a 5xx."""
    return min(0.5, server.failure * max(utilisation - 1.3, 0.0))


def _either(one: Floats, other: Floats | float) -> Floats:
    """The chance of one or the other of two independent events."""
    return 1.0 - (1.0 - one) * (1.0 - other)


def _mix(memory: float, past: float, now: float) -> float:
    return min(memory * past + (1.0 - memory) * now, 6.0)
