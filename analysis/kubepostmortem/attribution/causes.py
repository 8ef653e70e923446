"""Causes: which of the growing patterns started it, and which only followed.

A cause precedes its effect; growth that a known reaction explains is induced; what is small beside
the rest started nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from kubepostmortem.attribution.cause import Cause
from kubepostmortem.attribution.induced import effects_of
from kubepostmortem.attribution.patterns import Grown
from kubepostmortem.attribution.reactions import Reaction

LEAST_OF_TOP = 0.35  # of the largest component's share: smaller growth started nothing
LEAST_OF_OWN = 0.15  # of its component's share: smaller growth is a side of what it does
POSSIBLE = 0.2  # of the largest: enough to be a second cause, too little to be sure
LEAST_OF_CHANCE = 0.14  # of what all other cells moved by chance: smaller growth proves nothing
LATER_S = 30.0  # growth that begins this long after another one cannot have started it


def judge(
    found: Sequence[Cause],
    grown: Grown,
    reactions: Sequence[Reaction],
    later_s: float = LATER_S,
) -> list[Cause]:
    """Tell what each growth is: primary ones first, each kind largest first.

    later_s: how far apart onsets must be to tell before from after.
    """
    effects = effects_of(found, grown, reactions, later_s)
    roots = [
        cause for i, cause in enumerate(found) if i not in effects and _stands_out(cause, grown)
    ]
    if not roots:
        return list(found)
    top = _origin(roots, later_s)
    shares = _shares(roots)
    judged = [
        replace(cause, kind="induced", why=effects[i].says)
        if i in effects
        else _root(cause, top, shares)
        if cause in roots
        else replace(cause, why="is within what chance moves")
        for i, cause in enumerate(found)
    ]
    order = ("primary", "possible", "induced", "minor")
    return sorted(judged, key=lambda c: (order.index(c.kind), c.pattern != top.pattern, -c.share))


def _stands_out(cause: Cause, grown: Grown) -> bool:
    """Tell whether growth is large beside what all other cells moved by chance."""
    sizes = grown.against_chance[:, cause.named.members].sum(axis=1)
    return bool(sizes.max() >= LEAST_OF_CHANCE)


def _origin(roots: Sequence[Cause], later_s: float) -> Cause:
    """Return the largest growth that began no later than the overload.

    Why not just the largest: a client that comes into an overload has only slow requests to show,
    so its cost is overrated.
    """
    largest = max(roots, key=lambda cause: cause.share)
    able = [c for c in roots if c.share >= LEAST_OF_TOP * largest.share]
    known = [cause.after_s for cause in able if cause.after_s is not None]
    if not known:
        return largest
    limit = max(0.0, min(known)) + later_s
    in_time = [c for c in able if c.after_s is None or c.after_s <= limit]
    return max(in_time or [largest], key=lambda cause: cause.share)


def _shares(roots: Sequence[Cause]) -> dict[str | None, float]:
    """Shares of the growth by component: one that does two things is as large as both."""
    shares: dict[str | None, float] = {}
    for root in roots:
        component = root.pattern.component
        shares[component] = shares.get(component, 0.0) + root.share
    return shares


def _root(cause: Cause, top: Cause, shares: Mapping[str | None, float]) -> Cause:
    if cause is top:
        return replace(cause, kind="primary", why="is the largest growth that began in time")
    if top.pattern.component is None and cause.pattern.component is None:
        return replace(cause, kind="primary", why="is what the same clients do next")
    own, first = shares[cause.pattern.component], shares[top.pattern.component]
    if cause.share < LEAST_OF_OWN * own or own < POSSIBLE * first:
        return cause
    if own < LEAST_OF_TOP * first:
        return replace(cause, kind="possible", why="may be a second cause: it is not small enough")
    why = "is of the first cause's order, and nothing explains it"
    return replace(cause, kind="primary", why=why)
