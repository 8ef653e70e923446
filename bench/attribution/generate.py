"""One incident from a seed: a cluster, a cause, complications, and what the audit log shows."""

from __future__ import annotations

from zlib import crc32

import numpy as np
import polars as pl

from . import observe, overlays, timeline, traffic
from .incident import Axis, Deploy, Incident, Key, Truth
from .mechanism import Mechanism, Scenario
from .overlays import Decoy, Overlay
from .sheet import Sheet, lay_out
from .size import EASY, HARD
from .timeline import Floats, Timeline
from .world import World, build


def generate(
    name: str, scenario: Scenario, overlay: Overlay, seed: int, *, hard: bool = False
) -> Incident:
    """The incident of a scenario, an overlay and a seed; the same ones give the same incident."""
    rng = np.random.default_rng([seed, crc32(name.encode()), crc32(overlay.name.encode()), hard])
    difficulty = HARD if hard else EASY
    world, when = build(rng), timeline.draw(rng)
    mechanism = scenario(world, rng)
    innocent = overlays.decoys(world, mechanism, when, difficulty.decoy, rng)
    decoys = innocent if overlay.decoys else []
    sheet = _sheet(world, mechanism, decoys, rng)
    joined = overlays.joined(when, world.nodes, rng) if overlay.nodes else np.zeros(when.bins)
    first = traffic.expected(
        world, sheet, mechanism, decoys, when, joined, overlay, difficulty, rng
    )
    load = observe.overloaded(sheet, first, mechanism, when, overlay, difficulty, rng)
    axis = _axis(when, world.nodes, joined)
    if overlay.clusters:
        size = float(rng.uniform(0.4, 1.5))
        quiet = observe.idle(sheet, when, size, difficulty, rng)
        load = pl.concat((load, quiet.with_columns(pl.col("bin") + when.bins)))
        axis = _beside(axis, _axis(when, round(size * world.nodes), np.zeros(when.bins)))
    if overlay.missing:
        load = overlays.hide(load, mechanism, rng)
    deploys = _deploys(mechanism, decoys, when, rng)
    shown = {cell.key for cell, there in zip(sheet.cells, first.shown, strict=True) if there}
    truth = _truth(mechanism, shown, decoys, when, load)
    return Incident(load, axis, deploys, truth, name, seed, overlay.name, hard)


def _sheet(
    world: World, mechanism: Mechanism, decoys: list[Decoy], rng: np.random.Generator
) -> Sheet:
    grown = [cell for one in decoys for cell in one.cells]
    return lay_out(world, [*mechanism.cells(), *grown], rng)


def _axis(when: Timeline, nodes: int, joined: Floats) -> Axis:
    return Axis(
        when.width_s,
        np.zeros(when.bins, dtype=np.int64),
        when.within(when.baseline),
        when.within(when.overload),
        np.full(when.bins, float(nodes)),
        joined.astype(np.float64),
    )


def _beside(one: Axis, other: Axis) -> Axis:
    """The bins of one cluster, then those of another."""
    return Axis(
        one.width_s,
        np.concatenate((one.cluster, other.cluster + 1)),
        np.concatenate((one.baseline, other.baseline)),
        np.concatenate((one.overload, other.overload)),
        np.concatenate((one.nodes_before, other.nodes_before)),
        np.concatenate((one.nodes_joined, other.nodes_joined)),
    )


def _deploys(
    mechanism: Mechanism, decoys: list[Decoy], when: Timeline, rng: np.random.Generator
) -> tuple[Deploy, ...]:
    """Innocent changes and, where a change began it, the guilty one some time before the onset."""
    deploys = [decoy.deploy for decoy in decoys]
    if mechanism.deployed:
        before = int(np.clip(when.onset - rng.uniform(0.0, 4.0), 0, when.bins - 1))
        deploys.append(Deploy(mechanism.deployed, before))
    return tuple(sorted(deploys, key=lambda deploy: (deploy.bin, deploy.component)))


def _truth(
    mechanism: Mechanism,
    shown: set[Key],
    decoys: list[Decoy],
    when: Timeline,
    load: pl.DataFrame,
) -> Truth:
    """What was planted, as far as the evidence can show it."""
    if not mechanism.planted:
        return Truth(innocents=frozenset(decoy.deploy.component for decoy in decoys))
    keys = set(load.select("component", "verb", "resource").unique().rows())
    planted = shown & keys
    return Truth(
        frozenset(one for one in mechanism.truth if any(one.matches(key) for key in planted)),
        when.onset,
        frozenset(decoy.deploy.component for decoy in decoys),
        mechanism.optional,
        frozenset(planted),
    )
