"""The two windows of an incident: found from the load, or set by the user; kept as rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from kubepostmortem.attribution.windows import bin_width_s, find_windows
from kubepostmortem.incident import Window, iso
from kubepostmortem.model import statement
from kubepostmortem.store import Store

FEWEST_INTERVALS = 8
ROOM = timedelta(minutes=10)

METHOD = (
    "change points of demand and request rate (optimal partitioning of their logarithms around "
    "medians: load changes by factors, and short bursts are no level)"
)


@dataclass(frozen=True, slots=True)
class Choice:
    """The two windows of a cluster, and how many times demand grows between them."""

    baseline: Window
    overload: Window
    factor: float


def choose_windows(store: Store, cluster: str) -> None:
    """Find both windows from the load and write them, unless the user has set one."""
    if _chosen_by_user(store, cluster):
        return
    store.run("delete from incident where cluster = $cluster", cluster=cluster)
    spans = store.rows("from intervals where cluster = $cluster", cluster=cluster)
    if not spans or spans[0]["begins_at"] == spans[0]["ends_at"]:
        return
    span = Window(spans[0]["begins_at"], spans[0]["ends_at"])
    choice = _search(store, cluster, span, spans[0]["rollup_s"])
    if choice:
        reason = f"demand grows up to {choice.factor:.1f}-fold; {METHOD}"
        for name, window in (("baseline", choice.baseline), ("overload", choice.overload)):
            _write(store, cluster, name, window, "change-point", reason)


def _search(store: Store, cluster: str, span: Window, finest_s: int) -> Choice | None:
    """Find windows within a span; look closer where a shorter span allows finer intervals.

    An overload of ten minutes is one or two intervals of a day, and its edges are that rough.
    finest_s: width of the intervals that the load was counted in, seconds.
    """
    width_s = _width_s(span, finest_s)
    load = store.frame(
        statement("ingest/load_for_windows"),
        cluster=cluster,
        begins_at=iso(span.begins_at),
        ends_at=iso(span.ends_at),
        width_s=width_s,
    )
    if load.height < FEWEST_INTERVALS:
        return None
    found = find_windows(load.select("demand_s", "requests").to_numpy().T, width_s)
    if found is None:
        return None
    choice = Choice(
        _window(load, found.baseline, width_s), _window(load, found.overload, width_s), found.factor
    )
    closer = _closer(choice, span)
    if _width_s(closer, finest_s) >= width_s:
        return choice
    return _search(store, cluster, closer, finest_s) or choice


def _width_s(span: Window, finest_s: int) -> int:
    return max(finest_s, bin_width_s(span.length.total_seconds()))


def _closer(choice: Choice, span: Window) -> Window:
    """Return the overload with room around it, within the span: thrice its length before it."""
    length = choice.overload.length
    return Window(
        max(span.begins_at, choice.overload.begins_at - 3 * length),
        min(span.ends_at, choice.overload.ends_at + length),
    )


def set_windows(store: Store, cluster: str, windows: Mapping[str, Window]) -> dict[str, Window]:
    """Write windows as the user wants them, by name: baseline, overload. Return what they became.

    Load is counted in intervals: a window reaches from the beginning of one to the end of one.
    """
    for name, window in windows.items():
        _write(store, cluster, name, window, "user", "set by hand")
    store.cost_windows(cluster)
    rows = store.rows("from incident where cluster = $cluster", cluster=cluster)
    return {
        row["time_window"]: Window(row["begins_at"], row["ends_at"])
        for row in rows
        if row["time_window"] in windows
    }


def set_window(store: Store, cluster: str, name: str, window: Window) -> None:
    """Write one window as the user wants it; `name` is baseline or overload."""
    set_windows(store, cluster, {name: window})


def around_windows(store: Store, cluster: str) -> Window | None:
    """Return the time from the baseline to the overload with some room, if both are known."""
    rows = store.rows("from incident where cluster = $cluster", cluster=cluster)
    found = {row["time_window"]: row for row in rows}
    if {"baseline", "overload"} - found.keys():
        return None
    return Window(found["baseline"]["begins_at"] - ROOM, found["overload"]["ends_at"] + ROOM)


def forget_windows(store: Store, cluster: str) -> None:
    """Forget what the user set and find the windows from the load again."""
    store.run("delete from incident where cluster = $cluster", cluster=cluster)
    choose_windows(store, cluster)
    store.cost_windows(cluster)


def _chosen_by_user(store: Store, cluster: str) -> bool:
    return bool(
        store.value(
            "select count(*) from incident where cluster = $cluster and chosen_by = 'user'",
            cluster=cluster,
        )
    )


def _window(load: pl.DataFrame, bins: tuple[int, int], width_s: float) -> Window:
    begins, ends = bins
    width = timedelta(seconds=width_s)
    return Window(load["interval_at"][begins], load["interval_at"][ends - 1] + width)


def _write(
    store: Store, cluster: str, name: str, window: Window, chosen_by: str, reason: str
) -> None:
    store.run(
        "insert or replace into incident values "
        "($cluster, $name, $begins_at::timestamp, $ends_at::timestamp, $chosen_by, $reason)",
        cluster=cluster,
        name=name,
        begins_at=iso(window.begins_at),
        ends_at=iso(window.ends_at),
        chosen_by=chosen_by,
        reason=reason,
    )
