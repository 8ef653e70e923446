"""Induced growth: what known reactions to other growth explain.

A cause precedes its effect, and nothing explains what is of the same component.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kubepostmortem.attribution.axis import Flags
from kubepostmortem.attribution.cause import Cause
from kubepostmortem.attribution.patterns import Grown
from kubepostmortem.attribution.reactions import Reaction

FITS = 0.75  # of a pattern's growth that reactions must explain


@dataclass(frozen=True, slots=True, eq=False)
class Leftover:
    """Growing cells that have no name of their own, but are known to follow a primary cause."""

    members: Flags
    why: str


def leftovers(
    causes: Sequence[Cause], grown: Grown, reactions: Sequence[Reaction]
) -> list[Leftover]:
    """Return what reactions to primary causes explain of the cells that no cause names."""
    free = grown.growing.copy()
    for cause in causes:
        free &= ~cause.named.members
    explained = []
    for reaction in reactions:
        members = free & reaction.effect.fits(grown.cells)
        share = float(grown.shares[members].sum())
        if share > 0 and any(
            c.kind == "primary" and _can_bring(c, share, reaction, grown) for c in causes
        ):
            free &= ~members
            explained.append(Leftover(members, reaction.says))
    return explained


def effects_of(
    found: Sequence[Cause], grown: Grown, reactions: Sequence[Reaction], later_s: float
) -> dict[int, Reaction]:
    """Return the reaction that explains a cause, for each that one does.

    Smaller ones first, and what is an effect itself explains nothing: where each of two would
    explain the other, the smaller one is the effect.
    """
    effects: dict[int, Reaction] = {}
    for i in sorted(range(len(found)), key=lambda i: found[i].share):
        others = [other for j, other in enumerate(found) if j != i and j not in effects]
        if reaction := _explained(found[i], others, grown, reactions, later_s):
            effects[i] = reaction
    return effects


def _explained(
    effect: Cause,
    others: Sequence[Cause],
    grown: Grown,
    reactions: Sequence[Reaction],
    later_s: float,
) -> Reaction | None:
    """Return the reaction that explains most of a pattern, if reactions explain it at all.

    Nothing explains what began before it, nor what is of the same component.
    """
    able = [one for one in others if not (_of_one(one, effect) or _precedes(effect, one, later_s))]
    free, explained = effect.named.members.copy(), dict[Reaction, float]()
    for reaction in reactions:
        members = free & reaction.effect.fits(grown.cells)
        share = float(grown.shares[members].sum())
        apart = effect.newcomer and reaction.effect.known
        if share > 0 and not apart and any(_can_bring(c, share, reaction, grown) for c in able):
            free &= ~members
            explained[reaction] = share
    if not explained or sum(explained.values()) < FITS * effect.share:
        return None
    return max(explained, key=explained.__getitem__)


def _of_one(one: Cause, other: Cause) -> bool:
    """Tell whether two patterns are of one component, or both across components."""
    return one.pattern.component == other.pattern.component


def _can_bring(cause: Cause, share: float, reaction: Reaction, grown: Grown) -> bool:
    """Tell whether a cause can bring about a reaction of this share of the growth."""
    new_enough = cause.newcomer or not reaction.cause.newcomer
    able = grown.shares[cause.named.members & reaction.cause.fits(grown.cells)].sum()
    return new_enough and bool(share <= reaction.at_most * able)


def _precedes(one: Cause, other: Cause, by_s: float) -> bool:
    """Compare onsets, each by the overload of its cluster: clusters can be hours apart."""
    if one.after_s is None or other.after_s is None:
        return False
    return one.after_s < other.after_s - by_s
