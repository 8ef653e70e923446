"""Parts of the growth: which line of the ledger each cell's requests belong to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from kubepostmortem.attribution.axis import Flags, Numbers
from kubepostmortem.attribution.cause import Cause
from kubepostmortem.attribution.induced import Leftover
from kubepostmortem.attribution.load import Load, Table
from kubepostmortem.attribution.patterns import Grown

WHY = {
    "throttling": "requests answered 429, most of which come again",
    "cluster growth": "what the nodes that joined send as the others did before",
    "drift": "changes within the noise of the baseline",
    "decline": "clients that sent less than before",
    "unexplained": "grew, but no pattern and no known reaction explains it",
}


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some cells of a table of requests (cells x bins) that belong to one kind of line.

    component and verb are None where the part is of several.
    """

    kind: str
    why: str
    table: Table
    cells: Flags
    component: str | None = None
    verb: str | None = None

    @property
    def named(self) -> bool:
        """Whether it is of one component or one verb."""
        return bool(self.component or self.verb)


def parts(
    load: Load,
    grown: Grown,
    number: Numbers,
    causes: Sequence[Cause],
    leftovers: Sequence[Leftover],
) -> Iterator[Part]:
    """Yield parts that hold every request exactly once; number: the grown cell of each cell."""
    free = np.ones(grown.cells.height, dtype=bool)
    for cause in causes:
        free &= ~cause.named.members
        yield _of_cause(cause, load, cause.named.members[number])
    for leftover in leftovers:
        free &= ~leftover.members
        yield Part("induced", leftover.why, load.own, leftover.members[number])
    for kind, members in (
        ("unexplained", free & grown.risen),
        ("decline", free & grown.shrinking),
        ("drift", free & ~grown.risen & ~grown.shrinking),
    ):
        yield Part(kind, WHY[kind], load.own, members[number])
    yield from _throttled(load)
    everything = np.ones(load.cells.height, dtype=bool)
    yield Part("cluster growth", WHY["cluster growth"], load.joined, everything)


def _of_cause(cause: Cause, load: Load, cells: Flags) -> Part:
    kind = cause.kind if cause.kind in ("primary", "induced") else "unexplained"
    pattern = cause.pattern
    return Part(kind, cause.why, load.own, cells, pattern.component, pattern.verb or None)


def _throttled(load: Load) -> Iterator[Part]:
    components: pl.Series = load.cells["component"]
    for component in components.unique().sort():
        cells = (components == component).to_numpy()
        yield Part("throttling", WHY["throttling"], load.throttled, cells, component)
