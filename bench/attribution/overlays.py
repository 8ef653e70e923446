"""What crosses the scenarios: innocent deploys, new nodes, waves, lost evidence, other clusters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from .incident import Deploy, Pattern
from .mechanism import Mechanism
from .timeline import Floats, Timeline
from .world import Cell, World

Hide = Callable[[pl.DataFrame, Mechanism, np.random.Generator], pl.DataFrame]


@dataclass(frozen=True)
class Overlay:
    """Which complications an incident has."""

    name: str
    decoys: bool = False
    nodes: bool = False
    waves: bool = False
    missing: bool = False
    clusters: bool = False


PLAIN = Overlay("plain")
OVERLAYS = (
    PLAIN,
    Overlay("decoys", decoys=True),
    Overlay("nodes", nodes=True),
    Overlay("waves", waves=True),
    Overlay("missing", missing=True),
    Overlay("clusters", clusters=True),
    Overlay("decoys+nodes", decoys=True, nodes=True),
    Overlay("decoys+waves", decoys=True, waves=True),
    Overlay("decoys+missing", decoys=True, missing=True),
    Overlay("nodes+waves", nodes=True, waves=True),
    Overlay("everything", decoys=True, nodes=True, waves=True, missing=True, clusters=True),
)


@dataclass(frozen=True)
class Decoy:
    """An innocent component that was changed; its cells grow by a share of the cause's demand."""

    deploy: Deploy
    cells: tuple[Cell, ...]
    share: float


def decoys(
    world: World,
    mechanism: Mechanism,
    timeline: Timeline,
    most: tuple[float, float],
    rng: np.random.Generator,
) -> list[Decoy]:
    """One to three innocents that are changed near the onset; a quarter of them does not grow."""
    innocent = sorted(set(world.components()) - mechanism.components())
    chosen = [str(name) for name in rng.permutation(innocent)[: int(rng.integers(1, 4))]]
    return [_decoy(world, name, mechanism.truth, timeline, most, rng) for name in chosen]


def joined(timeline: Timeline, nodes: int, rng: np.random.Generator) -> Floats:
    """Nodes that have joined per bin: 15 to 50 % more, in groups, all after the baseline."""
    number = int(np.ceil(nodes * rng.uniform(0.15, 0.5)))
    parts = int(rng.integers(1, 6))
    groups = rng.multinomial(number, np.full(parts, 1.0 / parts))
    last = timeline.overload[0] + 0.6 * timeline.overload_bins
    starts = rng.integers(timeline.baseline[1], int(last), parts)
    there = np.arange(timeline.bins) >= starts[:, None]
    return np.asarray(groups @ there, dtype=np.float64)


def hide(load: pl.DataFrame, mechanism: Mechanism, rng: np.random.Generator) -> pl.DataFrame:
    """Take some of the evidence away, in one of several ways."""
    return HIDING[int(rng.integers(len(HIDING)))](load, mechanism, rng)


def without_codes(
    load: pl.DataFrame, mechanism: Mechanism, rng: np.random.Generator
) -> pl.DataFrame:
    """The 429s are recorded as something else."""
    return load.with_columns(throttled=pl.lit(0.0))


def without_some_events(
    load: pl.DataFrame, mechanism: Mechanism, rng: np.random.Generator
) -> pl.DataFrame:
    """The audit policy drops watches, events, leases, or innocents; never all of a cause."""
    innocent = sorted(set(load["component"].unique()) - mechanism.components())
    dropped = [
        pl.col("verb") == "watch",
        pl.col("resource") == "events",
        (pl.col("resource") == "leases") & (pl.col("verb") == "get"),
        pl.col("component").is_in([str(name) for name in rng.permutation(innocent)[:2]]),
    ]
    left = load.filter(~dropped[int(rng.integers(len(dropped)))].fill_null(False))
    seen = set(left.select("component", "verb", "resource").unique().rows())
    caused = {part.cell.key for part in mechanism.planted}
    return left if caused & seen or not caused else load


def without_some_costs(
    load: pl.DataFrame, mechanism: Mechanism, rng: np.random.Generator
) -> pl.DataFrame:
    """No quiet time tells what a third of the cells cost."""
    names = ["component", "verb", "resource", "subresource", "scope"]
    cells = load.select(names).unique(maintain_order=True)
    known = cells.with_columns(known=pl.Series(rng.random(cells.height) > 1 / 3))
    marked = load.join(known, on=names, how="left", nulls_equal=True, maintain_order="left")
    cost = pl.when("known").then("unit_cost_s").otherwise(0.0)
    return marked.with_columns(unit_cost_s=cost).drop("known")


HIDING: tuple[Hide, ...] = (without_codes, without_some_events, without_some_costs)


def _decoy(
    world: World,
    component: str,
    truth: frozenset[Pattern],
    timeline: Timeline,
    most: tuple[float, float],
    rng: np.random.Generator,
) -> Decoy:
    cells = [
        flow.cell
        for flow in world.of(component)
        if flow.cell.verb != "watch" and not any(one.matches(flow.cell.key) for one in truth)
    ]
    number = int(rng.integers(1, 5))
    picked: npt.NDArray[np.int64] = rng.permutation(len(cells))[:number]
    reach = 0.1 * timeline.overload_bins
    start = int(np.clip(timeline.onset + rng.uniform(-reach, reach), 0, timeline.bins - 1))
    share = 0.0 if rng.random() < 0.25 else float(rng.uniform(*most))
    return Decoy(Deploy(component, start), tuple(cells[i] for i in picked), share)
