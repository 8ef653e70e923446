"""One priority level while it is replayed: what it is configured to, its limit, its demand."""

from __future__ import annotations

from dataclasses import dataclass, field

from kubepostmortem.flowcontrol.allocation import Demand, Limits, observed
from kubepostmortem.flowcontrol.meters import integrate_demand
from kubepostmortem.flowcontrol.objects import PriorityLevel
from kubepostmortem.flowcontrol.state import (
    DEMAND,
    DEMAND2_S,
    DEMAND_S,
    ELAPSED,
    EXEMPT,
    HAND,
    HIGHEST,
    LENGTH_LIMIT,
    WANTED,
    Levels,
    with_queues,
)


@dataclass
class ServedLevel:
    """What a level is configured to; changes as the replay goes on.

    number: its row in the state of the replay; current: its limit in seats; limits: between which
    borrowing moves that.
    """

    number: int
    configured: PriorityLevel
    limits: Limits
    current: int
    demand: Demand = field(default_factory=Demand)

    @classmethod
    def begun(cls, number: int, configured: PriorityLevel, limits: Limits) -> ServedLevel:
        """Return a level that is idle; it lends half of what it may until it is adjusted."""
        return cls(
            number, configured, limits, limits.nominal - (limits.nominal - limits.lower) // 2
        )

    def observe(self, levels: Levels, ns: int) -> None:
        """Sum up the demand since this was done last."""
        integrate_demand(levels, self.number, ns)
        moments = levels.moments[self.number]
        self.demand = observed(
            self.demand,
            round(moments[HIGHEST]),
            float(moments[DEMAND_S]),
            float(moments[DEMAND2_S]),
            float(moments[ELAPSED]),
        )
        moments[[ELAPSED, DEMAND_S, DEMAND2_S]] = 0.0
        moments[HIGHEST] = moments[DEMAND]

    def configure(self, levels: Levels) -> Levels:
        """Return the levels, this one with the queues that it is configured to; others leave."""
        counters, queuing = levels.counters[self.number], self.configured.queuing
        counters[WANTED] = EXEMPT if self.configured.exempt else 0
        if queuing is None:
            return levels
        counters[WANTED], counters[HAND] = queuing.queues, queuing.hand_size
        counters[LENGTH_LIMIT] = queuing.queue_length_limit
        return with_queues(levels, self.number, queuing.queues)
