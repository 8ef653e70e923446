"""API Priority and Fairness of one API server, replayed over given requests.

Between two adjustments the limits of the levels stay as they are: the replay goes on to the next
one, then the limits are set, and so on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kubepostmortem.flowcontrol.allocation import (
    PERIOD_NS,
    Limits,
    adjusted,
    nominal_limits,
)
from kubepostmortem.flowcontrol.clients import Clients, asking_once
from kubepostmortem.flowcontrol.compiled import adjust, serve
from kubepostmortem.flowcontrol.configuration import Configuration
from kubepostmortem.flowcontrol.objects import PriorityLevel
from kubepostmortem.flowcontrol.offered import Offered
from kubepostmortem.flowcontrol.preparation import Preparation, Server
from kubepostmortem.flowcontrol.priority_level import ServedLevel
from kubepostmortem.flowcontrol.processor import SHARING, Processor, no_processor
from kubepostmortem.flowcontrol.replayed import LevelLimits, Replayed, replayed
from kubepostmortem.flowcontrol.serving import is_idle
from kubepostmortem.flowcontrol.state import (
    ARRIVALS_END,
    EVENTS,
    LEAVING,
    MOST_FINAL,
    NEVER,
    NEXT_ARRIVAL,
    new_levels,
    new_requests,
    with_level,
)
from kubepostmortem.flowcontrol.world import World

EVENTS_OF_REQUEST = 3  # that may lie ahead at once: it waits or ends, and so does what it watches
EVENTS_OF_CALL = 6  # if the client reacts: it also ends its wait, leaves, asks again, or polls


@dataclass(frozen=True)
class Change:
    """A configuration, and from when it is in force."""

    ns: int
    configuration: Configuration


def replay(
    offered: Offered,
    server: Server,
    changes: Sequence[Change],
    *,
    borrows: bool = True,
    reloads: bool = True,
    until_ns: int = 0,
) -> Replayed:
    """Replay a load under configurations, the first of which is there before all requests.

    borrows: levels borrow, Kubernetes 1.26 and later; reloads: limits are divided anew when a level
    that was taken away has drained; until_ns: limits are adjusted at least until then.
    """
    serving = Serving(Preparation(offered, server), borrows=borrows, reloads=reloads)
    serving.serve(changes, until_ns)
    return replayed(serving.preparation, serving.requests, tuple(serving.adjustments))


class Serving:
    """The levels as they are now, and what became of the requests so far."""

    def __init__(self, preparation: Preparation, *, borrows: bool, reloads: bool) -> None:
        self.preparation, self.borrows, self.reloads = preparation, borrows, reloads
        offered = preparation.offered
        self.requests = new_requests(
            offered.received_ns, offered.service_ns, offered.watch_ns, offered.call
        )
        preparation.limit_times(self.requests)
        self.watching = preparation.watching()
        self.clients, self.processor = asking_once(), no_processor()
        self.state = new_levels(EVENTS_OF_REQUEST * len(offered))
        self.state.clock[ARRIVALS_END] = len(offered)
        self.levels: dict[str, ServedLevel] = {}
        self.adjustments: list[LevelLimits] = []

    def serve(self, changes: Sequence[Change], until_ns: int) -> None:
        """Serve all requests under one configuration after the other."""
        self._next_ns = changes[0].ns if self.borrows else NEVER
        self._until_ns = until_ns
        ends = [*(change.ns for change in changes[1:]), NEVER]
        for change, end_ns in zip(changes, ends, strict=True):
            self._configure(change.configuration, change.ns, end_ns)
            while not self._reached(end_ns):
                self._go_on(change.configuration, end_ns)

    @property
    def world(self) -> World:
        """All of it, for the compiled part."""
        return World(self.state, self.requests, self.watching, self.clients, self.processor)

    def _reached(self, end_ns: int) -> bool:
        """Whether the next configuration comes now, or, after the last one, nothing happens."""
        if end_ns < NEVER:
            return self._now_ns == end_ns
        clock = self.state.clock
        asked = clock[NEXT_ARRIVAL] == clock[ARRIVALS_END] and clock[EVENTS] == 0
        done = asked and self.processor.state[SHARING] == 0
        return bool(done and self._next_ns > self._until_ns)

    def _go_on(self, configuration: Configuration, end_ns: int) -> None:
        """Serve up to what comes next: an adjustment, the end, or that a level has drained."""
        stop_ns = min(self._next_ns, end_ns)
        self._now_ns = self._serve_until(stop_ns)
        if self._now_ns < stop_ns:
            self._configure(configuration, self._now_ns, end_ns)
        elif self.borrows and stop_ns == self._next_ns:
            self._adjust(stop_ns, periodic=True)
            self._next_ns += PERIOD_NS

    def _serve_until(self, ns: int) -> int:
        return serve(self.world, self._hands, ns)

    def act(self, clients: Clients, processor: Processor) -> None:
        """Let clients react, and requests share a processor."""
        self.clients, self.processor = clients, processor
        self.state = self.state._replace(
            events=np.empty((EVENTS_OF_CALL * len(self.requests.times), 2), dtype=np.int64)
        )

    def _configure(self, configuration: Configuration, ns: int, end_ns: int) -> None:
        """Put a configuration in force, and prepare what arrives before the end."""
        self._now_ns = ns
        known, before = configuration.priority_levels, self.levels
        leaving = {n: x for n, x in before.items() if n not in known and not self._idle(x)}
        wanted = [*known.values(), *(level.configured for level in leaving.values())]
        limits = nominal_limits(self.preparation.server.limit, wanted)
        self.levels = {level.name: self._level(level, limits[level.name], ns) for level in wanted}
        self.state.counters[:, LEAVING] = 0
        for name, level in self.levels.items():
            self.state = level.configure(self.state)
            counters = self.state.counters[level.number]
            counters[LEAVING] = name in leaving and self.reloads
            counters[MOST_FINAL] = self.preparation.most_final(level.limits)
        self._adjust(ns, periodic=False)
        self._prepare(configuration, limits, end_ns)

    def _prepare(
        self, configuration: Configuration, limits: dict[str, Limits], end_ns: int
    ) -> None:
        begin = int(self.state.clock[NEXT_ARRIVAL])
        end = int(np.searchsorted(self.preparation.offered.received_ns, end_ns))
        numbers = {name: level.number for name, level in self.levels.items()}
        self.preparation.prepare(self.requests, slice(begin, end), configuration, limits, numbers)
        self._hands = self.preparation.flows.hands()

    def _idle(self, level: ServedLevel) -> bool:
        return is_idle(self.state, level.number)

    def _level(self, configured: PriorityLevel, limits: Limits, ns: int) -> ServedLevel:
        level = self.levels.get(configured.name)
        if level is None:
            self.state = with_level(self.state, ns)
            return ServedLevel.begun(len(self.state.counters) - 1, configured, limits)
        level.configured, level.limits = configured, limits
        return level

    def _adjust(self, ns: int, *, periodic: bool) -> None:
        """Divide the seats anew, after what each level asked for since this was done last."""
        levels = self.levels
        for level in levels.values():
            level.observe(self.state, ns)
        currents = adjusted(
            [level.configured for level in levels.values()],
            {name: level.limits for name, level in levels.items()},
            {name: level.demand for name, level in levels.items()},
            {name: level.current for name, level in levels.items()},
        )
        for name, level in levels.items():
            level.current = currents[name]
            adjust(self.world, level.number, level.current, ns)
            self.adjustments.append(
                LevelLimits(ns, name, level.limits, level.current, level.demand, periodic)
            )
