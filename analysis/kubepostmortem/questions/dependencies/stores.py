"""What a separate etcd, a component's own store or a decoupled DNS would have taken off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from kubepostmortem.questions.question import Inquiry
from kubepostmortem.questions.words import number, percent

STORES = """
with best as (
    -- The API server's own count of what it asked etcd for, where it is there in both windows.
    select cluster, operation, max(counted_by) as counted_by
    from (
        select cluster, operation, counted_by
        from storage_load
        group by all
        having count(distinct time_window) = 2
    )
    group by cluster, operation
)
select
    load.cluster, operation, counted_by, store,
    coalesce(sum(requests_per_s) filter (time_window = 'baseline'), 0) as baseline_per_s,
    coalesce(sum(requests_per_s) filter (time_window = 'overload'), 0) as overload_per_s,
    coalesce(sum(share) filter (time_window = 'baseline'), 0) as baseline_share,
    coalesce(sum(share) filter (time_window = 'overload'), 0) as overload_share
from storage_load as load
join best using (cluster, operation, counted_by)
group by all
order by load.cluster, operation desc, overload_per_s desc, store
"""
DNS = """
select
    cluster, time_window,
    sum(requests) filter (kind = 'dns') / sum(requests) as share,
    coalesce(sum(requests_per_s) filter (kind = 'dns'), 0) as requests_per_s
from availability_by_window
group by cluster, time_window
order by cluster, time_window
"""
EVENTS, LEASES, BUILT_IN = "events", "leases", "built-in resources"


@dataclass(frozen=True)
class Store:
    """What one store of its own would hold: its part of the reads or writes of etcd.

    store: events, leases, an API group of custom resources, or built-in resources, which stay.
    """

    cluster: str
    operation: str
    counted_by: str
    store: str
    baseline_per_s: float
    overload_per_s: float
    baseline_share: float
    overload_share: float

    @property
    def facts(self) -> dict[str, Any]:
        """Plain data, for machines."""
        return asdict(self)


def stores(inquiry: Inquiry) -> tuple[Store, ...]:
    """Return the parts of etcd's reads and writes that stores of their own would take off."""
    rows = inquiry.rows("reads and writes of etcd by what could have a store of its own", STORES)
    return tuple(Store(**row) for row in rows)


def dns_load(inquiry: Inquiry) -> list[dict[str, Any]]:
    """Return DNS's part of the requests to the API server, per cluster and window."""
    return inquiry.rows("requests of DNS to the API server", DNS)


def taken_off(found: Sequence[Store]) -> str:
    """Say what separate stores would have done, in one sentence; empty where nothing is known."""
    writes = [one for one in found if one.operation == "write"]
    parts = [one for one in writes if one.store != BUILT_IN and one.overload_share >= 0.01]
    if not writes:
        return ""
    if not parts:
        return "Hardly any write was of what could have a store of its own."
    largest = max(parts, key=lambda one: one.overload_share)
    events = next((one for one in parts if one.store == EVENTS), None)
    said = [f"{largest.store} were {percent(largest.overload_share)} of the writes to etcd"]
    if events and events is not largest:
        said.append(f"events {percent(events.overload_share)}")
    grew = sum(one.overload_per_s - one.baseline_per_s for one in parts)
    verdict = (
        f"and grew by {number(grew)} per second"
        if grew > 1
        else "but did not grow: a separate etcd for them would have taken nothing off the overload"
    )
    return f"{' and '.join(said).capitalize()}, {verdict}.{_reads(found)}"


def _reads(found: Sequence[Store]) -> str:
    """Say whether reads reached etcd at all: many are answered from the API server's cache."""
    reads = [one for one in found if one.operation == "read"]
    if not reads:
        return ""
    before, now = (
        sum(getattr(one, name) for one in reads) for name in ("baseline_per_s", "overload_per_s")
    )
    return f" Reads of etcd went from {number(before)} to {number(now)} per second."
