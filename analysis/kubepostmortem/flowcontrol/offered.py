"""The load that is replayed: who asks for what and when, and how long the server works on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kubepostmortem.flowcontrol.classify import Call, Caller
from kubepostmortem.flowcontrol.state import NEVER, Ints
from kubepostmortem.flowcontrol.watches import Watched


@dataclass(frozen=True, slots=True)
class Asked:
    """One way to ask: the call, and the query of its URL, which tells its cost and deadline."""

    call: Call
    url: str = ""


@dataclass(frozen=True)
class Offered:
    """Requests to one API server, columns in order of time, nanoseconds from a whole second on.

    service_ns: how long they execute; watches: until they are initialized. watch_ns: how long
    watches go on after that. hang_up_ns: when the client leaves, since it asked; 0: it stays.
    caller, call: places in callers and calls. standing: watches that are there all the time.
    """

    received_ns: Ints
    caller: NDArray[np.integer]
    call: NDArray[np.integer]
    service_ns: Ints
    watch_ns: Ints
    hang_up_ns: Ints
    callers: tuple[Caller, ...]
    calls: tuple[Asked, ...]
    standing: Mapping[Watched, int] = field(default_factory=dict)

    @property
    def stay_ns(self) -> Ints:
        """How long each client stays."""
        return np.where(self.hang_up_ns > 0, self.hang_up_ns, NEVER)

    def __len__(self) -> int:
        """How many requests there are."""
        return len(self.received_ns)
