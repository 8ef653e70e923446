"""Whether one flow of the culprit can fill its priority level (kubernetes issue 115409)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from kubepostmortem.flowcontrol.allocation import nominal_limits
from kubepostmortem.flowcontrol.preparation import options_of
from kubepostmortem.questions.flow_control.placed import Placed
from kubepostmortem.simulation.groups import CULPRIT
from kubepostmortem.simulation.replaying import Replayable


@dataclass(frozen=True)
class Crowding:
    """How wide the culprit's requests are, and how many queues a flow has, against a level.

    width: most seats of a request, as the level bounds it; hand: queues dealt to a flow, 1 where
    there are none; nominal: seats of the level.
    """

    who: str
    level: str
    width: int
    hand: int
    nominal: int

    @property
    def fills(self) -> bool:
        """Whether wide requests at the heads of all queues of one flow take every seat."""
        return self.width > 1 and self.hand * self.width >= self.nominal

    @property
    def says(self) -> str:
        """Say so."""
        return (
            f"A request of {self.who} takes up to {self.width} seats, and a flow is dealt "
            f"{self.hand} queues: together they fill the {self.nominal} seats of {self.level}, "
            "so whoever shares a queue with them starves (kubernetes issue 115409)."
        )

    @property
    def facts(self) -> dict[str, Any]:
        """Plain data, for machines."""
        return asdict(self) | {"fills": self.fills}


def crowding(one: Replayable, found: Placed) -> Crowding | None:
    """Compare what the culprit asks for with its level; None without a culprit, or if exempt."""
    own = one.load.calls.filter(pl.col("caller_group") == CULPRIT)
    known = one.known
    levels = known.configuration.priority_levels
    level = levels.get(str(found.own[0]["priority_level"])) if found.own else None
    if own.is_empty() or level is None or level.exempt or not known.apf:
        return None
    limits = nominal_limits(known.server.limit, levels.values())[level.name]
    asked = [one.load.asked[place] for place in own["call"].unique()]
    widest = max(known.server.width_of(each, options_of(each)).initial_seats for each in asked)
    return Crowding(
        who=found.culprit or "the culprit",
        level=level.name,
        width=min(widest, limits.widest_request or widest),
        hand=level.queuing.hand_size if level.queuing else 1,
        nominal=limits.nominal,
    )
