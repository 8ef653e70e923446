"""In-flight limits, when API Priority and Fairness is off: two pools, and no queues."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np
from numba import njit
from numpy.typing import NDArray

from kubepostmortem.flowcontrol.classify import Call
from kubepostmortem.flowcontrol.deadlines import deadline_ns
from kubepostmortem.flowcontrol.long_running import is_long_running
from kubepostmortem.flowcontrol.offered import Offered
from kubepostmortem.flowcontrol.state import NEVER, Ints

READING = ("get", "list", "watch")
MASTERS = "system:masters"
READS, WRITES, UNCOUNTED, POOLS = range(4)


@dataclass(frozen=True)
class InFlight:
    """What became of requests: ended_ns: when they were done, or refused.

    cut: the deadline or the client ended them before they were done.
    """

    executed: NDArray[np.bool_]
    ended_ns: Ints
    cut: NDArray[np.bool_]


def replay_in_flight(
    offered: Offered, most_reads: int, most_writes: int, request_timeout_ns: int
) -> InFlight:
    """Replay the limits on requests in flight; 0: none. Refused clients are told to wait for 1 s.

    Streams do not count. Where a pool is full, masters execute and take no place in it; nobody
    else does, neither probes nor kubelets.
    """
    pools = np.array([pool_of(asked.call) for asked in offered.calls])
    masters = np.array([MASTERS in caller.groups for caller in offered.callers])
    stop_ns = np.array([deadline_ns(asked, request_timeout_ns) for asked in offered.calls])
    stops_ns = np.minimum(stop_ns[offered.call], offered.stay_ns)
    took_ns = np.minimum(offered.service_ns, stops_ns)
    limits = np.array([most or NEVER for most in (most_reads, most_writes)] + [NEVER])
    executed = _admit(
        offered.received_ns, took_ns, pools[offered.call], masters[offered.caller], limits
    )
    ended_ns = offered.received_ns + np.where(executed, took_ns, 0)
    return InFlight(executed, ended_ns, executed & (stops_ns < offered.service_ns))


def pool_of(call: Call) -> int:
    """Return the pool that a call takes a place in."""
    if is_long_running(call):
        return UNCOUNTED
    return READS if call.verb in READING else WRITES


@njit(cache=True, nogil=True)
def _admit(
    received_ns: Ints, took_ns: Ints, pools: Ints, masters: NDArray[np.bool_], limits: Ints
) -> NDArray[np.bool_]:
    executed = np.ones(len(received_ns), dtype=np.bool_)
    for pool in range(len(limits)):
        if limits[pool] == NEVER:
            continue
        ends_ns = [np.int64(0) for _ in range(0)]
        for request in range(len(received_ns)):
            if pools[request] != pool:
                continue
            ns = received_ns[request]
            while len(ends_ns) > 0 and ends_ns[0] <= ns:
                heappop(ends_ns)
            if len(ends_ns) < limits[pool]:
                heappush(ends_ns, ns + took_ns[request])
            else:
                executed[request] = masters[request]
    return executed
