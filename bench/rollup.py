"""Time and memory of what ingest derives, and of the views of load, over many planted requests.

The requests are made in SQL, without an audit log: half a day of 600 classes of requests, and an
hour of which half is a new one. Prints seconds; asserts nothing, since machines are noisy.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from kubepostmortem.store import Store
from kubepostmortem.windows import choose_windows

CLUSTER = "bench"
CHUNK = 2_000_000
VIEWS = ("load_growth", "load_by_interval", "load_series", "new_nodes", "growth_by_client")

PLANT = """
insert into requests by name
select * exclude (share, class, chance)
from (
    select
        $cluster as cluster, '' as apiserver, n::varchar as audit_id, n / $total as share,
        timestamp '2026-03-01' + to_microseconds((share * 43200e6)::bigint) as received_at,
        -- Few of the classes make most of the requests; in the overload every other is of one.
        if(share between 0.75 and 0.83 and n % 2 = 0, 900,
            (600 * pow((hash(n) % 1000003) / 1000003, 3))::integer) as class,
        'component-' || class % 40 as component,
        'kind-' || class % 7 as kind,
        ['get', 'list', 'update', 'patch', 'create'][1 + class % 5] as verb,
        'resources-' || class % 97 as resource,
        if(class % 11 = 0, 'status', null) as subresource,
        ['object', 'namespace', 'cluster'][1 + class % 3] as scope,
        'node-' || hash(n + 7) % 5000 as node,
        'identity' as node_from,
        'system:node:' || node as username,
        'namespace-' || class % 30 || '/workload-' || class % 300 as workload,
        (hash(n + 1) % 1000000) / 1e6 as chance,
        exp(1 + class % 50 / 10 + 2 * chance) as latency_ms,
        received_at + to_microseconds((latency_ms * 1e3)::bigint) as finished_at,
        if(latency_ms > 500, latency_ms / 3, null) as apf_queue_wait_ms,
        if(chance > 0.98, 429, if(chance > 0.97, 500, if(chance > 0.9, 404, 200))) as code,
        'ResponseComplete' as stage, 4 as stages_seen, false as truncated, false as continues,
        false as watch, false as send_initial_events, false as dry_run, 0 as ingest_id
    from (select unnest(generate_series($first::bigint, $last::bigint)) as n)
)
"""


def main() -> None:
    """Plant requests, derive, ask the views; print seconds here and for 100 million."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--millions", type=float, default=20, help="requests to plant, millions")
    parser.add_argument("--database", type=Path, help="planted before, or to be kept")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = arguments.database or Path(folder) / "bench.duckdb"
        with Store.create(database) as store:
            if not store.has("requests"):
                plant(store, round(arguments.millions * 1e6))
            measure(store)


def plant(store: Store, total: int) -> None:
    """Fill requests."""
    for first in range(0, total, CHUNK):
        last = min(first + CHUNK, total) - 1
        store.run(PLANT, cluster=CLUSTER, total=total, first=first, last=last)


def measure(store: Store) -> None:
    """Derive as an ingest does, then read each view whole."""
    requests = store.value("select count(*) from requests")
    timed = Timer(100e6 / requests)
    with store.transaction():
        timed("roll up, cost the whole log", lambda: store.roll_up(CLUSTER))
        timed("find the windows", lambda: choose_windows(store, CLUSTER))
        timed("cost the windows", lambda: store.cost_windows(CLUSTER))
    for view in VIEWS:
        timed(view, lambda view=view: store.frame(f"from {view}"))
    rows = store.value("select count(*) from load_rollup")
    print(f"{requests:,} requests, {rows:,} rows in the rollup; peak {timed.mib():,.0f} MiB")


class Timer:
    """Prints what each step takes, and what it would for 100 million requests if linear."""

    def __init__(self, factor: float) -> None:
        self.factor = factor
        print("| what | s | CPU s | CPU s for 100 million |\n|---|---|---|---|")

    def __call__(self, what: str, step: Callable[[], Any]) -> None:
        wall, cpu = perf_counter(), process_time()
        step()
        wall, cpu = perf_counter() - wall, process_time() - cpu
        print(f"| {what} | {wall:.1f} | {cpu:.1f} | {cpu * self.factor:.0f} |", flush=True)

    def mib(self) -> float:
        """Peak of the resident memory of this process."""
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
