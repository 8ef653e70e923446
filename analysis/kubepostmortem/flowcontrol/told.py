"""Which watches are told of which calls, by number."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kubepostmortem.flowcontrol.list_options import list_options
from kubepostmortem.flowcontrol.offered import Asked, Offered
from kubepostmortem.flowcontrol.state import NOWHERE, Ints, Watching
from kubepostmortem.flowcontrol.watches import Watched, counted_under, told_of

MOST_PLACES = 3  # under which the watches of one write are counted


def watching_of(offered: Offered, widens: NDArray[np.bool_]) -> Watching:
    """Number what is watched; widens: by call, whether watches make it wider."""
    kinds = [_watched(asked) for asked in offered.calls]
    numbers: dict[Watched, int] = {}
    for kind in (*kinds, *offered.standing):
        if kind is not None:
            numbers.setdefault(kind, len(numbers))
    watched = [NOWHERE if kind is None else numbers[kind] for kind in kinds]
    told = _told(offered, numbers)
    going_on = np.array([offered.standing.get(kind, 0) for kind in numbers], dtype=np.int64)
    return Watching(
        np.array(watched, dtype=np.int64), told, widens & (told != NOWHERE).any(axis=1), going_on
    )


def _watched(asked: Asked) -> Watched | None:
    if asked.call.verb != "watch":
        return None
    return counted_under(asked.call, list_options(asked.url).field_selector)


def _told(offered: Offered, numbers: dict[Watched, int]) -> Ints:
    resources = {(kind.api_group, kind.resource) for kind in numbers}
    told = np.full((len(offered.calls), MOST_PLACES), NOWHERE, dtype=np.int64)
    for call, asked in enumerate(offered.calls):
        if (asked.call.api_group, asked.call.resource) in resources:
            for place, kind in enumerate(told_of(asked.call)):
                told[call, place] = numbers.get(kind, NOWHERE)
    return told
