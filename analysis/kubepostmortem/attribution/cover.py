"""Cover: the fewest names for the cells that grew.

Method: every growing cell is worth naming by its share of the growth; every name costs, and one
with wildcards costs more, above all by members that did not grow. Within a component the best cover
is exact, since its patterns form a tree; patterns across components are taken where they save.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import polars as pl

from kubepostmortem.attribution.axis import Flags
from kubepostmortem.attribution.patterns import Grown, Named, Pattern

FEWEST_ACROSS = 4  # components that make a pattern across components
MOST_OF_ONE = 0.75  # of a pattern across components; more is the pattern of that component
WIDE_VERBS = ("list", "watch")  # what every client does again when its watches break

Cover = tuple[float, list[Pattern]]  # what it is worth, and its patterns


def cover(grown: Grown) -> list[Named]:
    """Name the growing cells with the fewest patterns that are worth it, largest share first."""
    free = grown.growing.copy()
    taken: list[Pattern] = []
    while (best := _best_across(grown, free)) is not None:
        for pattern in _with_companion(best, grown):
            taken.append(pattern)
            free &= ~pattern.matches(grown.cells)
    taken += _within_components(grown, free)[1]
    return _claimed(taken, grown)


def _claimed(patterns: Iterable[Pattern], grown: Grown) -> list[Named]:
    """Give each cell that rose to the first pattern that matches it, be it as small as it may."""
    free, named = grown.risen.copy(), []
    for pattern in patterns:
        members = pattern.matches(grown.cells) & free
        free &= ~members
        share = float(grown.shares[members].sum())
        named.append(Named(pattern, members, share, _exactly(pattern, members, grown)))
    return sorted(named, key=lambda one: (-one.share, str(one.pattern)))


def _exactly(pattern: Pattern, members: Flags, grown: Grown) -> tuple[Pattern, ...]:
    """Narrow a pattern until it matches its members only; largest share first."""
    matched = pattern.matches(grown.cells)
    if pattern.component is None or not (matched & ~members).any():
        return (pattern,)
    parts = [
        one
        for part in _parts(pattern, grown, members)
        for one in _exactly(part, members & part.matches(grown.cells), grown)
    ]
    return tuple(sorted(parts, key=lambda p: -grown.shares[p.matches(grown.cells)].sum()))


def _with_companion(pattern: Pattern, grown: Grown) -> list[Pattern]:
    """Return a pattern and what comes with it: who lists again everywhere watches again.

    A watch costs so little that watches would hardly ever be named for themselves.
    """
    other = Pattern(None, "watch", None)
    members = pl.Series(other.matches(grown.cells) & grown.risen)
    many = grown.cells["component"].filter(members).n_unique() >= FEWEST_ACROSS
    return [pattern, other] if pattern == Pattern(None, "list", None) and many else [pattern]


def _best_across(grown: Grown, free: Flags) -> Pattern | None:
    """Return the pattern across components that saves most against those within, if any does."""
    shared = _across(grown, free)
    alone = _within_components(grown, free)[0] if shared else 0.0
    saved = {
        pattern: grown.net(pattern, free)
        + _within_components(grown, free & ~pattern.matches(grown.cells))[0]
        - alone
        for pattern in shared
    }
    best = max(saved, key=saved.__getitem__, default=None)
    return best if best is not None and saved[best] > 0 else None


def _across(grown: Grown, free: Flags) -> list[Pattern]:
    """Patterns that enough components share, none of which is most of it."""
    cells = grown.cells.filter(pl.Series(free))
    wide = [Pattern(None, verb, None) for verb in WIDE_VERBS]
    pairs = cells.select("verb", "resource").unique().sort("verb", "resource").rows()
    narrow = [Pattern(None, verb, resource) for verb, resource in pairs if resource]
    return [p for p in wide + narrow if _is_shared(p, grown, free)]


def _is_shared(pattern: Pattern, grown: Grown, free: Flags) -> bool:
    members = pattern.matches(grown.cells) & free
    shares = (
        grown.cells.with_columns(share=pl.Series(grown.shares))
        .filter(pl.Series(members))
        .group_by("component")
        .agg(pl.col("share").sum())["share"]
    )
    most = shares.max()
    if shares.len() < FEWEST_ACROSS or not isinstance(most, float):
        return False
    return most <= MOST_OF_ONE * float(shares.sum())


def _within_components(grown: Grown, free: Flags) -> Cover:
    """Return the best patterns of each component by itself, and what they are worth."""
    components = grown.cells["component"].filter(pl.Series(free)).unique().sort()
    return _together(_best_of(Pattern(c, None, None), grown, free) for c in components)


def _best_of(pattern: Pattern, grown: Grown, free: Flags) -> Cover:
    """Return the better of a pattern and the best of its parts: an exact search of the tree."""
    narrower = _parts(pattern, grown, free)
    whole = grown.net(pattern, free)
    if not narrower:
        return (whole, [pattern]) if whole > 0 else (0.0, [])
    parts = _together(_best_of(part, grown, free) for part in narrower)
    return (whole, [pattern]) if len(narrower) > 1 and whole > parts[0] else parts


def _parts(pattern: Pattern, grown: Grown, free: Flags) -> list[Pattern]:
    """Narrow a pattern of one component by its verbs, or one of a verb by its resources."""
    part = next((name for name in ("verb", "resource") if getattr(pattern, name) is None), None)
    if part is None:
        return []
    members = pl.Series(pattern.matches(grown.cells) & free)
    values = grown.cells[part].filter(members).unique().sort()
    return [replace(pattern, **{part: value}) for value in values]


def _together(covers: Iterable[Cover]) -> Cover:
    found = list(covers)
    return sum(worth for worth, _ in found), [p for _, patterns in found for p in patterns]
