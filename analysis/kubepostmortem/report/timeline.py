"""The timeline for people: runs of like entries are one line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import polars as pl

MOST = 1000


@dataclass(frozen=True)
class Moment:
    """One entry of the timeline, or a run of events of one reason."""

    began: datetime
    ended: datetime
    kind: str
    title: str
    detail: str
    cluster: str
    count: int


def shortened(rows: pl.DataFrame, most: int = MOST) -> pl.DataFrame:
    """Leave out the last events where there are too many rows; everything else stays."""
    events_last = rows.sort(pl.col("kind") == "event", "happened_at", maintain_order=True)
    return events_last.head(most).sort("happened_at", maintain_order=True)


def folded(rows: pl.DataFrame) -> list[Moment]:
    """Fold neighbouring events of one reason; whatever else happened stays on its own."""
    entries = rows.sort("happened_at", maintain_order=True).to_dicts()
    return [_moment(list(run)) for _, run in groupby(entries, key=_alike)]


def _alike(entry: dict[str, Any]) -> tuple[Any, ...]:
    """Events are alike by their reason, which begins their title; others only themselves."""
    if entry["kind"] != "event":
        return (entry["happened_at"], entry["title"])
    return (entry["cluster"], entry["title"].partition(" ")[0])


def _moment(run: Sequence[dict[str, Any]]) -> Moment:
    first, last = run[0], run[-1]
    return Moment(
        began=first["happened_at"],
        ended=last["happened_at"],
        kind=first["kind"],
        title=_title([entry["title"] for entry in run]),
        detail=first["detail"] or "",
        cluster=first["cluster"],
        count=len(run),
    )


def _title(titles: Sequence[str]) -> str:
    """Name the first, and count the others."""
    distinct = list(dict.fromkeys(titles))
    if len(titles) == 1:
        return titles[0]
    if len(distinct) == 1:
        return f"{titles[0]}, {len(titles)} times"
    return f"{titles[0]} and {len(titles) - 1} more like it"
