"""The two windows of an incident: found from the load, or set by the user; kept as rows."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from kubepostmortem.attribution.windows import Found, find_windows
from kubepostmortem.incident import Window, iso
from kubepostmortem.model import statement
from kubepostmortem.store import Store

METHOD = (
    "change points of demand and request rate (optimal partitioning of their logarithms around "
    "medians: load changes by factors, and short bursts are no level)"
)


def choose_windows(store: Store, cluster: str) -> None:
    """Find both windows from the load and write them, unless the user has set one."""
    if _chosen_by_user(store, cluster):
        return
    store.run("delete from incident where cluster = $cluster", cluster=cluster)
    load = store.frame(statement("ingest/load_for_windows"), cluster=cluster)
    if load.height < 8:
        return
    found = find_windows(load.select("demand_s", "requests").to_numpy().T)
    if found is not None:
        _write_found(store, cluster, found, load)


def set_window(store: Store, cluster: str, name: str, window: Window) -> None:
    """Write one window as the user wants it; `name` is baseline or overload."""
    _write(store, cluster, name, window, "user", "set by hand")


def forget_windows(store: Store, cluster: str) -> None:
    """Forget what the user set and find the windows from the load again."""
    store.run("delete from incident where cluster = $cluster", cluster=cluster)
    choose_windows(store, cluster)


def _chosen_by_user(store: Store, cluster: str) -> bool:
    return bool(
        store.value(
            "select count(*) from incident where cluster = $cluster and chosen_by = 'user'",
            cluster=cluster,
        )
    )


def _write_found(store: Store, cluster: str, found: Found, load: pl.DataFrame) -> None:
    for name, (begins, ends) in (("baseline", found.baseline), ("overload", found.overload)):
        reason = f"demand grows up to {found.factor:.1f}-fold; {METHOD}"
        _write(store, cluster, name, _window(load, begins, ends), "change-point", reason)


def _window(load: pl.DataFrame, begins: int, ends: int) -> Window:
    width = timedelta(seconds=load["interval_s"][0])
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
