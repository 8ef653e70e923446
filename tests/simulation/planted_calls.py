"""Calls of clients, planted in an audit log, and the two windows they fall in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

from kubepostmortem.store import Store
from planted import Event, event
from planted_windows import plant_windows

IDS = count(1)
OTEL = {
    "user": "system:serviceaccount:telemetry:otel-agent",
    "agent": "otelcol-contrib/0.115.0 (linux/amd64)",
    "pod": "otel-agent-x7k2p",
}
ADMIN = {
    "user": "alice@example.com",
    "agent": "kubectl/v1.33.2 (linux/amd64) kubernetes/98b3519",
    "verb": "get",
    "namespace": "shop",
    "name": "web",
}
CONTROLLER = {
    "user": "system:kube-controller-manager",
    "agent": "kube-controller-manager/v1.33.2 (linux/amd64) kubernetes/98b3519/x",
}
LEASE = {
    "verb": "update",
    "resource": "leases",
    "group": "coordination.k8s.io",
    "namespace": "kube-node-lease",
    "name": "node-1",
}
WAITED = "apiserver.latency.k8s.io/apf-queue-wait"

Try = tuple[float, int] | tuple[float, int, float]  # received, code, and took if not 10 ms


def calls(*tries: Try, groups: Sequence[str] = (), **fields: Any) -> Iterator[Event]:
    """Requests of one client for one thing, and their answers."""
    for received, code, *took in tries:
        length = took[0] if took else 0.01
        one = event(f"c{next(IDS)}", received=received, took=length, code=code, **fields)
        if groups:
            one["user"]["groups"] = list(groups)
        yield one


def even(begins: float, ends: float, every: float) -> list[Try]:
    """Requests at an even pace, all of them answered."""
    return [(begins + n * every, 200) for n in range(round((ends - begins) / every))]


def windows(store: Store, overload: float = 100, ends: float = 300, cluster: str = "prod") -> None:
    """Both windows of a cluster, before anything is read: the baseline begins at once."""
    plant_windows(store, (0.0, overload), (overload, ends), (cluster,), others_stay=True)
