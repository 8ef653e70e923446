"""Objects of API Priority and Fairness that were written while the audit log was recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubepostmortem.incident import iso
from kubepostmortem.simulation.asking import Asks

SHOWN = 5

WRITES = """
select received_at, username, verb, resource, name
from flow_control_changes
where cluster = $cluster
order by received_at, resource, name
"""


def writes(asks: Asks, cluster: str) -> tuple[str, ...]:
    """Return a sentence for each write; a single configuration is taken for all of the time."""
    rows = asks.frame("writes of flow control objects", WRITES, cluster=cluster).to_dicts()
    more = len(rows) - SHOWN
    said = [_said(row) for row in rows[:SHOWN]]
    return (*said, f"So were {more} more.") if more > 0 else tuple(said)


def _said(row: Mapping[str, Any]) -> str:
    what = "/".join(filter(None, (row["resource"], row["name"])))
    when = iso(row["received_at"].replace(microsecond=0))
    return (
        f"{what} was written ({row['verb']}) by {row['username']} at {when}, while the log was "
        "recorded: one configuration is taken for all of it."
    )
