"""A fence for the culprit of a recorded overload, tried on its load."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from kubepostmortem.errors import MissingEvidence
from kubepostmortem.flowcontrol.collateral import Asked, Moved, collateral
from kubepostmortem.flowcontrol.configuration import Configuration
from kubepostmortem.flowcontrol.culprit import Culprit
from kubepostmortem.flowcontrol.defaults import default_configuration
from kubepostmortem.flowcontrol.fence import CannotFence, Fence, fence, fenced
from kubepostmortem.flowcontrol.hazards import hazards
from kubepostmortem.flowcontrol.preparation import options_of
from kubepostmortem.simulation.groups import CULPRIT
from kubepostmortem.simulation.policies import Tried
from kubepostmortem.simulation.replaying import Replayable
from kubepostmortem.simulation.simulation import Simulation, simulate

SPARED = 0.99  # share of the calls of every other group that is answered in time
SEATS = (10, 6, 4, 3, 2, 1)  # tried in this order
LARGEST_PART = 0.1  # of the server's seats


@dataclass(frozen=True)
class TriedFence:
    """A fence, what it does to the recorded load, and what to weigh before it is applied.

    moved: who else it holds; base: the configuration that it is added to.
    """

    fence: Fence
    simulation: Simulation
    moved: tuple[Moved, ...]
    hazards: tuple[str, ...]
    base: Configuration
    spares: bool


def tried_fence(one: Replayable, seats: int | None = None) -> TriedFence:
    """Design the widest fence that spares all others; seats: as many as that, whoever suffers.

    It is added to what was in force, or where API Priority and Fairness was off, to the defaults.
    Raises MissingEvidence where nobody is to be fenced in.
    """
    culprit, widths = _culprit(one)
    known = one.known
    base = known.configuration if known.apf else default_configuration(known.minor)
    limit = known.server.limit
    wanted = (seats,) if seats else _candidates(limit)
    best: TriedFence | None = None
    for number in wanted:
        try:
            built = fence(culprit, base, limit, number, max(widths, default=1))
        except CannotFence as why:
            raise MissingEvidence("requests", f"no fence can be built: {why}") from why
        simulated = simulate(one.models, Tried("fence", fenced(base, built), known.server))
        spares = _spares(simulated)
        best = TriedFence(
            built,
            simulated,
            moved_by(one, built, base),
            hazards(built, base, limit, widths),
            base,
            spares,
        )
        if spares:
            break
    assert best is not None
    return best


def _candidates(limit: int) -> tuple[int, ...]:
    return tuple(n for n in SEATS if n == 1 or n <= LARGEST_PART * limit)


def _spares(simulated: Simulation) -> bool:
    worst = simulated.worst_bystander
    return worst is None or worst.answered.low >= SPARED


def _culprit(one: Replayable) -> tuple[Culprit, tuple[int, ...]]:
    """Describe whom to fence in, and how many seats its requests take."""
    own = one.load.calls.filter(pl.col("caller_group") == CULPRIT)
    if own.is_empty():
        raise MissingEvidence("requests", "no culprit is known, so there is nobody to fence in")
    callers = [one.load.callers[place] for place in own["caller"].unique().sort()]
    asked = [one.load.asked[place] for place in own["call"].unique().sort()]
    calls = [each.call for each in asked]
    shared = set(callers[0].groups).intersection(*(caller.groups for caller in callers))
    widths = {one.known.server.width_of(each, options_of(each)).initial_seats for each in asked}
    culprit = Culprit(
        users=tuple(caller.user for caller in callers),
        verbs=tuple(sorted({call.verb for call in calls})),
        resources=tuple(
            sorted({(call.api_group, call.full_resource) for call in calls if call.of_resource})
        ),
        component=one.suspect.component or "" if one.suspect else "",
        namespaces=tuple(sorted({call.namespace for call in calls if call.namespace})),
        cluster_scope=any(call.of_resource and not call.namespace for call in calls),
        paths=tuple(sorted({call.path for call in calls if not call.of_resource})),
        groups=tuple(sorted(shared)),
    )
    return culprit, tuple(sorted(widths))


def moved_by(one: Replayable, built: Fence, base: Configuration) -> tuple[Moved, ...]:
    """Return all whose requests a fence takes, out of the recorded calls."""
    return collateral(built, base, tuple(_asked(one)))


def _asked(one: Replayable) -> Iterator[Asked]:
    kinds = one.load.calls.group_by("component", "caller", "call").len().sort(pl.all())
    for component, caller, call, calls in kinds.iter_rows():
        yield component, one.load.callers[caller], one.load.asked[call].call, calls
