"""Attribution: from load over time to causes and an exact ledger of the growth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from kubepostmortem.attribution.axis import Axis, Numbers, Series
from kubepostmortem.attribution.cause import Began, Cause
from kubepostmortem.attribution.causes import LATER_S, judge
from kubepostmortem.attribution.cover import cover
from kubepostmortem.attribution.growing import grown_cells
from kubepostmortem.attribution.induced import leftovers
from kubepostmortem.attribution.ledger import Ledger, ledger_of
from kubepostmortem.attribution.load import Load, load_of
from kubepostmortem.attribution.onset import onset
from kubepostmortem.attribution.parts import parts
from kubepostmortem.attribution.patterns import Named, Pattern
from kubepostmortem.attribution.reactions import Reaction, known_reactions
from kubepostmortem.attribution.sizes import size_of
from kubepostmortem.attribution.trivial import largest_growth

NEWCOMER = 0.05  # of its load in the overload that a newcomer may have had in the baseline


@dataclass(frozen=True, slots=True, eq=False)
class Attribution:
    """What caused the growth of a load.

    causes: primary ones first; ledger: what the growth is made of; largest: the trivial answer, the
    cells that grew most in demand, or in requests where no cost is known, with their shares.
    """

    causes: tuple[Cause, ...]
    ledger: Ledger
    largest: tuple[tuple[Pattern, float], ...]

    @property
    def primary(self) -> tuple[Cause, ...]:
        """The causes that started it; none is a possible answer."""
        return tuple(cause for cause in self.causes if cause.kind == "primary")


def attribute(
    rows: pl.DataFrame, axis: Axis, reactions: Sequence[Reaction] | None = None
) -> Attribution:
    """Find what caused the growth from baseline to overload.

    rows: one per bin and cell, with the columns of load.CELL and load.COUNTED, bin, unit_cost_s and
    seats; bins without requests may lack.
    """
    load = load_of(rows, axis)
    grown, number = grown_cells(load, axis)
    found = [_found(named, load, number, axis) for named in cover(grown)]
    known = known_reactions() if reactions is None else reactions
    later_s = max(LATER_S, 2 * float(axis.width_s.max()))
    causes = judge(found, grown, known, later_s)
    rest = leftovers(causes, grown, known)
    found_parts = parts(load, grown, number, causes, rest)
    largest = largest_growth(load, axis) or largest_growth(load, axis, "requests")
    return Attribution(tuple(causes), ledger_of(found_parts, load, axis), tuple(largest))


def _found(named: Named, load: Load, number: Numbers, axis: Axis) -> Cause:
    """Return a cause that is not judged yet, with its size and its onset."""
    cells = named.members[number]
    counts = load.requests[cells].sum(axis=0)
    compared = axis.compared()
    begun = [found for _, quiet, loud in compared if (found := _onset(counts, quiet, loud, axis))]
    first = min(begun, key=lambda one: one.began_s, default=None)
    size = size_of(cells, load, axis)
    return Cause(named, size, first, size.baseline_rps <= NEWCOMER * size.overload_rps)


def _onset(counts: Series, quiet: Numbers, loud: Numbers, axis: Axis) -> Began | None:
    """Look for the onset in one cluster, from its baseline's beginning to its overload's end."""
    first = int(quiet[0])
    found = onset(counts[first : loud[-1] + 1], int(loud[0]) - first)
    if found is None:
        return None
    began, earliest, latest = (
        float(axis.begins_s[first + at]) for at in (found.bin, found.earliest, found.latest)
    )
    after_s = began - float(axis.begins_s[loud[0]])
    return Began(first + found.bin, began, earliest, latest, after_s)
