"""First tries per cell and bin: usual ones, the cause and what follows it, decoys, new nodes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from . import noise, timeline
from .mechanism import Mechanism
from .overlays import Decoy, Overlay
from .sheet import Sheet
from .size import Difficulty, Mask, mean_demand_s, scale, shown
from .timeline import Floats, Timeline
from .world import World

NOMINAL = 0.1  # what stands for the size of the cause where there is none
REACTIONS = 0.6  # at most this part of the demand of the cause


@dataclass(frozen=True)
class Traffic:
    """Expected first tries per cell and bin: all of them, and parts of them.

    `cause_s` is the demand of the cause per bin of the overload, in seconds; `shown` marks the
    cells of the cause that stand out of their own ups and downs.
    """

    total: Floats
    planted: Floats
    joined: Floats
    cause_s: float
    shown: Mask


def expected(
    world: World,
    sheet: Sheet,
    mechanism: Mechanism,
    decoys: list[Decoy],
    when: Timeline,
    joined: Floats,
    overlay: Overlay,
    difficulty: Difficulty,
    rng: np.random.Generator,
) -> Traffic:
    """All first tries: usual ones, bursts, the cause and its reactions, decoys, new nodes."""
    usual_s = float(sheet.cost_s @ sheet.per_s) * when.width_s
    modes = noise.modes(sheet.group, when, difficulty.variation, rng)
    usual = sheet.per_s[:, None] * when.width_s * modes
    planted = _planted(sheet, mechanism, when, overlay.waves, rng)
    size = float(np.exp(rng.uniform(*np.log(difficulty.size))))
    planted *= scale(sheet, planted, mechanism, when, size * usual_s, difficulty)
    cause_s = mean_demand_s(sheet, planted, when) or NOMINAL * usual_s
    usual += _bursts(sheet, usual, when, difficulty, cause_s, rng)
    caused = planted * modes * _first_tries(sheet, mechanism)[:, None]
    reactions = _reactions(sheet, mechanism, planted, when)
    grown = _grown(sheet, decoys, when, cause_s)
    per_node = _per_node(sheet, mechanism)
    new = (usual * sheet.per_node[:, None] + caused * per_node[:, None]) * joined / world.nodes
    new += _first_reads(sheet, joined, world.nodes)
    visible = shown(sheet, planted, when, difficulty)
    return Traffic(usual + caused + reactions + grown + new, caused, new, cause_s, visible)


def _planted(
    sheet: Sheet, mechanism: Mechanism, when: Timeline, waves: bool, rng: np.random.Generator
) -> Floats:
    """The requests of the cause, in proportion; parts that begin later have their own course."""
    load = np.zeros((len(sheet.cells), when.bins))
    courses = {
        later: timeline.course(
            replace(when, onset=when.onset + later * when.overload_bins),
            mechanism.course,
            waves,
            rng,
        )
        for later in sorted({part.later for part in mechanism.planted})
    }
    rows = sheet.rows(part.cell for part in mechanism.planted)
    for row, part in zip(rows, mechanism.planted, strict=True):
        load[row] += part.rate * courses[part.later]
    return load


def _bursts(
    sheet: Sheet,
    usual: Floats,
    when: Timeline,
    difficulty: Difficulty,
    cause_s: float,
    rng: np.random.Generator,
) -> Floats:
    number = int(rng.integers(*difficulty.bursts))
    members = [sheet.group == group for group in rng.integers(0, sheet.group.max() + 1, number)]
    return noise.bursts(usual, sheet.cost_s, members, when, difficulty.burst * cause_s, rng)


def _reactions(sheet: Sheet, mechanism: Mechanism, planted: Floats, when: Timeline) -> Floats:
    """What others do for each planted request, later; held below the cause in demand."""
    load = np.zeros_like(planted)
    requests = planted.sum(axis=0)
    rows = sheet.rows(reaction.cell for reaction in mechanism.reactions)
    for row, reaction in zip(rows, mechanism.reactions, strict=True):
        later = timeline.shifted(requests, reaction.lag_s / when.width_s)
        load[row] += reaction.per_request * later
    most_s = REACTIONS * mean_demand_s(sheet, planted, when)
    return load * min(1.0, most_s / max(mean_demand_s(sheet, load, when), 1e-12))


def _grown(sheet: Sheet, decoys: list[Decoy], when: Timeline, cause_s: float) -> Floats:
    """The growth of decoys from their deploys on, equal in demand over their cells."""
    load = np.zeros((len(sheet.cells), when.bins))
    for decoy in decoys:
        rows = sheet.rows(decoy.cells)
        since = np.arange(when.bins) >= decoy.deploy.bin
        demand_s = decoy.share * cause_s / max(len(rows), 1)
        load[rows] += (demand_s / sheet.cost_s[rows])[:, None] * since
    return load


def _per_node(sheet: Sheet, mechanism: Mechanism) -> Floats:
    """One for the cells that the cause fills from every node, new ones too."""
    mask = np.zeros(len(sheet.cells))
    mask[sheet.rows(part.cell for part in mechanism.planted if part.per_node)] = 1.0
    return mask


def _first_tries(sheet: Sheet, mechanism: Mechanism) -> Floats:
    """Per cell, the share of the requests of the cause that are no immediate retries."""
    shares = np.ones(len(sheet.cells))
    shares[sheet.rows(part.cell for part in mechanism.planted)] = [
        part.first_tries for part in mechanism.planted
    ]
    return shares


def _first_reads(sheet: Sheet, joined: Floats, nodes: int) -> Floats:
    """A node that joins reads what its agents cache and watches it."""
    caches = sheet.per_node & sheet.informer
    return np.outer(caches * sheet.clients / nodes, np.diff(joined, prepend=0.0))
