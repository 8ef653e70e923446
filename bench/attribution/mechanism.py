"""What a cause is made of: the requests that it plants and those that it sets off in others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from .incident import Pattern, pattern_of
from .world import Cell, World

Course = Literal["steady", "decaying", "pulsing", "growing"]
COURSES: tuple[Course, ...] = ("steady", "decaying", "pulsing", "growing")
HASTE = 0.95  # the share of refused requests that an impatient client sends again
Scenario = Callable[[World, np.random.Generator], "Mechanism"]


@dataclass(frozen=True)
class Planted:
    """A cell that the cause fills.

    `rate` is relative to the other planted cells; the size of the whole is set elsewhere.
    `failed` and `throttled` are the shares that the server refuses whatever its load (5xx, 429);
    `impatient` clients try again at once. What begins `later` does so after this part of the
    overload.
    """

    cell: Cell
    rate: float = 1.0
    per_node: bool = False
    failed: float = 0.0
    throttled: float = 0.0
    impatient: bool = False
    later: float = 0.0

    @property
    def first_tries(self) -> float:
        """The share of its requests that are no retries."""
        return 1.0 - HASTE * (self.failed + self.throttled) if self.impatient else 1.0


@dataclass(frozen=True)
class Reaction:
    """Requests of others per planted request, this many seconds later."""

    cell: Cell
    per_request: float
    lag_s: float = 0.0


@dataclass(frozen=True)
class Mechanism:
    """One cause, or several; `deployed` is the component whose change began it, if one did."""

    planted: tuple[Planted, ...] = ()
    truth: frozenset[Pattern] = frozenset()
    reactions: tuple[Reaction, ...] = ()
    optional: frozenset[Pattern] = frozenset()
    course: Course = "steady"
    deployed: str | None = None

    def components(self) -> set[str]:
        """All that take part, as cause or in reaction."""
        return {cell.component for cell in self.cells()}

    def cells(self) -> list[Cell]:
        """All cells of the cause and of the reactions to it."""
        return [part.cell for part in self.planted] + [part.cell for part in self.reactions]


def of(
    planted: Iterable[Planted],
    truth: Iterable[Pattern],
    reactions: Iterable[Reaction] = (),
    optional: Iterable[Pattern] = (),
) -> Mechanism:
    """A steady cause of these parts."""
    return Mechanism(tuple(planted), frozenset(truth), tuple(reactions), frozenset(optional))


def exact(planted: Iterable[Planted]) -> frozenset[Pattern]:
    """One pattern without wildcards for each planted cell."""
    return frozenset(pattern_of(part.cell.key) for part in planted)


def existing(
    world: World, component: str, *verbs: str, skip: Iterable[str | None] = ()
) -> list[Cell]:
    """The cells of a component that are there with one of these verbs, but for some resources."""
    cells = (flow.cell for flow in world.of(component))
    return [cell for cell in cells if cell.verb in verbs and cell.resource not in tuple(skip)]


def at_rate(cells: Iterable[Cell], rng: np.random.Generator, spread: float = 0.4) -> list[Planted]:
    """Plant all of these at rates of about one."""
    return [Planted(cell, float(np.exp(rng.normal(0.0, spread)))) for cell in cells]


def on_nodes(planted: Iterable[Planted]) -> list[Planted]:
    """The same, sent by every node."""
    return [replace(part, per_node=True) for part in planted]


def any_course(rng: np.random.Generator) -> Course:
    """How the load of a cause goes on after its onset."""
    return COURSES[int(rng.integers(len(COURSES)))]


def pick(rng: np.random.Generator, names: Iterable[str]) -> str:
    """One of these names."""
    return str(rng.choice(list(names)))


def some(rng: np.random.Generator, names: Iterable[str], least: int, most: int) -> list[str]:
    """So many of these names, in random order."""
    names = list(names)
    return [str(name) for name in rng.permutation(names)[: int(rng.integers(least, most + 1))]]


def lag_s(rng: np.random.Generator) -> float:
    """How long others take to react: none, seconds or minutes."""
    return float(rng.choice([0.0, 2.0, 10.0, 40.0, 120.0]) * rng.uniform(0.5, 1.5))


def kcm(verb: str, resource: str, subresource: str | None = None, scope: str = "object") -> Cell:
    """A cell of the controller manager."""
    return Cell("kube-controller-manager", "controller", verb, resource, subresource, scope)


def event(component: str, kind: str, verb: str = "create") -> Cell:
    """The cell in which a component writes events."""
    scope = "namespace" if verb == "create" else "object"
    return Cell(component, kind, verb, "events", None, scope)
