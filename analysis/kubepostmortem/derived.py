"""What is derived from the evidence of a cluster when an ingest ends: its load and its windows."""

from __future__ import annotations

from kubepostmortem.store import Store
from kubepostmortem.windows import choose_windows

CURRENT = """
select 1 from intervals
where cluster = $cluster and (requests, stages) = (
    select (count(*), sum(stages_seen)) from requests where cluster = $cluster
)
"""


def derive(store: Store, cluster: str) -> None:
    """Count the load, find the windows, and cost each class of requests in them.

    Nothing is done where no request is new. In one transaction with the caller's: what a killed
    ingest leaves undone, the next one does.
    """
    if store.value(CURRENT, cluster=cluster):
        return
    store.roll_up(cluster)
    choose_windows(store, cluster)
    store.cost_windows(cluster)
