"""What the replay knows of each request beforehand: its flow, its hand, its seats, its deadline.

All of it depends on who asks for what, not on when, but for the watches that a write tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kubepostmortem.flowcontrol.allocation import Limits
from kubepostmortem.flowcontrol.classify import Call
from kubepostmortem.flowcontrol.configuration import Configuration
from kubepostmortem.flowcontrol.deadlines import deadline_ns, wait_ns
from kubepostmortem.flowcontrol.flows import Flows
from kubepostmortem.flowcontrol.list_options import ListOptions, list_options
from kubepostmortem.flowcontrol.long_running import bypasses
from kubepostmortem.flowcontrol.offered import Asked, Offered
from kubepostmortem.flowcontrol.state import (
    FLOW,
    INITIAL_SEATS,
    LEVEL,
    NOWHERE,
    STOP_NS,
    WAIT_NS,
    Requests,
    Watching,
)
from kubepostmortem.flowcontrol.told import watching_of
from kubepostmortem.flowcontrol.work import Stored, Width, WidthRules, is_estimated_as_list, width

MANY_WATCHERS = 1 << 20
A_WRITE = Call("update")
NO_OPTIONS = ListOptions()


@dataclass(frozen=True)
class Server:
    """One API server: its seats for requests, and by what it estimates and ends them.

    limit: --max-requests-inflight plus --max-mutating-requests-inflight; stored: objects by
    resource.group, of the core group by resource alone; request_timeout_ns: --request-timeout.
    """

    limit: int
    rules: WidthRules
    stored: Mapping[str, Stored] = field(default_factory=dict)
    request_timeout_ns: int = 60_000_000_000

    def width_of(self, asked: Asked, options: ListOptions, widest: int = 0) -> Width:
        """Return the width of a request; widest: most seats in its level, 0: no bound."""
        call = asked.call
        kind = f"{call.resource}.{call.api_group}" if call.api_group else call.resource
        return width(self.rules, call, options, self.stored.get(kind), 0, widest)


class Preparation:
    """Prepares requests, part by part, as configurations take effect."""

    def __init__(self, offered: Offered, server: Server) -> None:
        self.offered, self.server = offered, server
        self.flows = Flows(offered)
        self._options = [options_of(asked) for asked in offered.calls]
        self._bypasses = np.array([bypasses(asked.call) for asked in offered.calls], dtype=np.bool_)
        self._lists = np.array(
            [self._is_list(call) for call in range(len(self._options))], np.bool_
        )
        self._widens = np.array([self._lingering(x.call, 0) > 0 for x in offered.calls], np.bool_)

    def bypassing(self) -> NDArray[np.bool_]:
        """Return which requests API Priority and Fairness never sees."""
        return np.asarray(self._bypasses[self.offered.call])

    def limit_times(self, requests: Requests) -> None:
        """Write how long each request may wait, and when it ends whether it is done or not."""
        timeout_ns, calls = self.server.request_timeout_ns, self.offered.calls
        waits = np.array([wait_ns(asked, timeout_ns) for asked in calls], dtype=np.int64)
        stops = np.array([deadline_ns(asked, timeout_ns) for asked in calls], dtype=np.int64)
        stay_ns = self.offered.stay_ns
        requests.times[:, WAIT_NS] = np.minimum(waits[self.offered.call], stay_ns)
        requests.times[:, STOP_NS] = np.minimum(stops[self.offered.call], stay_ns)

    def watching(self) -> Watching:
        """Return the watches that go on before all requests."""
        return watching_of(self.offered, self._widens)

    def most_final(self, limits: Limits) -> int:
        """Return most seats of a write that lingers, of a level with these limits."""
        return self._lingering(A_WRITE, limits.widest_request)

    def prepare(
        self,
        requests: Requests,
        part: slice,
        configuration: Configuration,
        limits: Mapping[str, Limits],
        numbers: Mapping[str, int],
    ) -> None:
        """Write flow, level and seats of a part of the requests; numbers: of the levels."""
        passing = self._bypasses[self.offered.call[part]]
        requests.numbers[part, FLOW] = np.where(
            passing, NOWHERE, self.flows.of(configuration, part)
        )
        names = [dealt.flow.priority_level for dealt in self.flows.met]
        level_of = np.array([*(numbers.get(name, NOWHERE) for name in names), NOWHERE])
        requests.numbers[part, LEVEL] = level_of[requests.numbers[part, FLOW]]
        requests.numbers[part, INITIAL_SEATS] = np.where(passing, 0, 1)
        for name, number in numbers.items():
            self._widen_lists(requests, part, number, limits[name].widest_request)

    def _widen_lists(self, requests: Requests, part: slice, level: int, widest: int) -> None:
        calls = self.offered.call[part]
        lists = np.flatnonzero(self._lists[calls] & (requests.numbers[part, LEVEL] == level))
        seats = np.zeros(len(self._lists), dtype=np.int64)
        for call in np.unique(calls[lists]).tolist():
            seats[call] = self._width(call, widest).initial_seats
        requests.numbers[part.start + lists, INITIAL_SEATS] = seats[calls[lists]]

    def _width(self, call: int, widest: int) -> Width:
        return self.server.width_of(self.offered.calls[call], self._options[call], widest)

    def _is_list(self, call: int) -> bool:
        asked = self.offered.calls[call].call
        return is_estimated_as_list(self.server.rules, asked, self._options[call])

    def _lingering(self, call: Call, widest: int) -> int:
        rules = self.server.rules
        return width(rules, call, NO_OPTIONS, None, MANY_WATCHERS, widest).final_seats


def options_of(asked: Asked) -> ListOptions:
    """Return what a list or a watch asks for."""
    return list_options(asked.url) if asked.call.verb in ("list", "watch") else NO_OPTIONS
