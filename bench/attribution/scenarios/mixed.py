"""Two causes at once, and none at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..mechanism import Mechanism
from ..world import World
from .loops import controller_hot_loop, failing_webhook, retry_storm
from .reads import autoscaler_list, cni_polling, crd_list, secret_poll, telemetry_list_storm
from .restarts import ci_burst

PARTS = (
    telemetry_list_storm, cni_polling, crd_list, secret_poll, autoscaler_list,
    controller_hot_loop, failing_webhook, retry_storm, ci_burst,
)  # fmt: skip


def two_causes(world: World, rng: np.random.Generator) -> Mechanism:
    """Two causes of different components; the smaller has at least 40 % of the larger."""
    order = rng.permutation(len(PARTS))
    one = PARTS[order[0]](world, rng)
    for i in order[1:]:
        other = PARTS[i](world, rng)
        if not _cause(one) & other.components() and not _cause(other) & one.components():
            break
    share = float(rng.uniform(0.4, 1.0)) * _demand_s(world, one) / _demand_s(world, other)
    later = float(rng.choice([0.0, 0.1, 0.25]))
    scaled = tuple(replace(part, rate=part.rate * share, later=later) for part in other.planted)
    planted = one.planted + scaled
    requests = sum(part.rate for part in planted)
    weights = (sum(part.rate for part in one.planted) / requests,
               sum(part.rate for part in scaled) / requests)  # fmt: skip
    reactions = tuple(
        replace(reaction, per_request=reaction.per_request * weight)
        for mechanism, weight in zip((one, other), weights, strict=True)
        for reaction in mechanism.reactions
    )
    return Mechanism(
        planted,
        one.truth | other.truth,
        reactions,
        one.optional | other.optional,
        deployed=one.deployed or other.deployed,
    )


def no_cause(world: World, rng: np.random.Generator) -> Mechanism:
    """Nothing but the usual ups and downs."""
    return Mechanism()


def _cause(mechanism: Mechanism) -> set[str]:
    return {part.cell.component for part in mechanism.planted}


def _demand_s(world: World, mechanism: Mechanism) -> float:
    return sum(part.rate * world.cost_s(part.cell) for part in mechanism.planted)
