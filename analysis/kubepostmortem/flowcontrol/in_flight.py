"""In-flight limits as two priority levels without queues, for replays in which clients react."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kubepostmortem.flowcontrol.clients import Clients
from kubepostmortem.flowcontrol.max_in_flight import MASTERS, UNCOUNTED, pool_of
from kubepostmortem.flowcontrol.preparation import Preparation
from kubepostmortem.flowcontrol.replay import Change, Serving
from kubepostmortem.flowcontrol.state import (
    EXEMPT,
    LEVEL,
    LIMIT,
    NEVER,
    NOWHERE,
    WANTED,
    with_level,
)


@dataclass(frozen=True, slots=True)
class InFlightLimits:
    """--max-requests-inflight and --max-mutating-requests-inflight; 0: no limit."""

    reads: int
    writes: int


class InFlightServing(Serving):
    """Serves requests within in-flight limits; see max_in_flight.replay_in_flight."""

    def __init__(self, preparation: Preparation, limits: InFlightLimits) -> None:
        super().__init__(preparation, borrows=False, reloads=False)
        for limit in (limits.reads, limits.writes, 0):  # a level for each pool, in their order
            self.state = with_level(self.state, 0)
            self.state.counters[-1, WANTED] = 0 if limit else EXEMPT
            self.state.counters[-1, LIMIT] = limit
        # Nothing is weighed: a request is one, however wide.
        self.watching = self.watching._replace(widens=np.zeros_like(self.watching.widens))
        pools = np.array([pool_of(one.call) for one in preparation.offered.calls], dtype=np.int32)
        levels = pools[preparation.offered.call]
        self.requests.numbers[:, LEVEL] = np.where(preparation.bypassing(), NOWHERE, levels)

    def let_masters_pass(self, clients: Clients) -> None:
        """Let system:masters execute where their pool is full, without a place in it."""
        callers = self.preparation.offered.callers
        masters = np.array([MASTERS in caller.groups for caller in callers], dtype=np.bool_)
        clients.overflow[masters[self.preparation.offered.caller]] = UNCOUNTED

    def serve(self, changes: Sequence[Change], until_ns: int) -> None:
        """Serve all requests; the limits do not change."""
        self._hands = np.empty((0, 0), dtype=np.int32)
        self._serve_until(NEVER)
