"""Evidence of flow control, planted in the tables: objects, flags, metrics."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kubepostmortem.assets import packaged
from kubepostmortem.ingest import ingest
from kubepostmortem.store import Store
from planted import at

FLOW = "apiserver_flowcontrol_"
NOMINAL = FLOW + "nominal_limit_seats"
CURRENT = FLOW + "current_limit_seats"
DISPATCHED = FLOW + "dispatched_requests_total"
REJECTED = FLOW + "rejected_requests_total"
IN_FLIGHT = "apiserver_current_inflight_requests"

Document = dict[str, Any]
Samples = Sequence[tuple[float, float]]  # seconds after the beginning, value

DEFAULT_NOMINAL = {  # seats of the default levels of Kubernetes 1.33 with 120 seats
    "catch-all": 3,
    "exempt": 0,
    "global-default": 10,
    "leader-election": 5,
    "node-high": 20,
    "system": 15,
    "workload-high": 20,
    "workload-low": 49,
}


def known(store: Store) -> None:
    """The cluster, of which nothing else is known."""
    store.run("insert or ignore into clusters values ('prod')")


def metric(store: Store, name: str, samples: Samples, **labels: str) -> None:
    """One series."""
    known(store)
    number = store.value("select count(*) from metric_series")
    store.run(
        "insert into metric_series values ($n, 'prod', $name, map($names, $values), 1)",
        n=number,
        name=name,
        names=list(labels),
        values=list(labels.values()),
    )
    rows = [{"series_id": number, "sampled_at": at(t), "value": float(v)} for t, v in samples]
    store.insert("metric_samples", rows)


def nominal(store: Store, seats: dict[str, int], name: str = NOMINAL, **labels: str) -> None:
    """Nominal limits by priority level."""
    for level, value in seats.items():
        metric(store, name, [(0, value), (60, value)], priority_level=level, **labels)


def flags(store: Store, apiserver: str = "", **given: str) -> None:
    """Flags of an API server, with _ for -."""
    known(store)
    rows = [
        {
            "cluster": "prod",
            "apiserver": apiserver,
            "setting": name.replace("_", "-"),
            "value": value,
            "ingest_id": 1,
        }
        for name, value in given.items()
    ]
    store.insert("apiserver_config", rows)


def default_objects(minor: int) -> list[Document]:
    """The objects of a new cluster, as it would export them."""
    kinds = {"priority_level": "PriorityLevelConfiguration", "flow_schema": "FlowSchema"}
    found = packaged("flowcontrol/default_objects.toml")
    return [
        {"apiVersion": "flowcontrol.apiserver.k8s.io/v1", "kind": kind, **document}
        for name, kind in kinds.items()
        for document in found[name]
        if document.get("since", 0) <= minor <= document.get("until", minor)
    ]


def level(name: str, shares: int = 5, **limited: Any) -> Document:
    """A limited priority level with queues."""
    queuing = {"queues": 16, "handSize": 4, "queueLengthLimit": 20}
    limits = {
        "nominalConcurrencyShares": shares,
        "limitResponse": {"type": "Queue", "queuing": queuing},
    }
    return {
        "apiVersion": "flowcontrol.apiserver.k8s.io/v1",
        "kind": "PriorityLevelConfiguration",
        "metadata": {"name": name},
        "spec": {"type": "Limited", "limited": limits | limited},
    }


def schema(
    name: str, to: str, user: str = "system:serviceaccount:telemetry:otel-agent"
) -> Document:
    """A FlowSchema for all requests of one user."""
    rule = {
        "subjects": [{"kind": "User", "user": {"name": user}}],
        "resourceRules": [
            {
                "verbs": ["*"],
                "apiGroups": ["*"],
                "resources": ["*"],
                "clusterScope": True,
                "namespaces": ["*"],
            }
        ],
    }
    return {
        "apiVersion": "flowcontrol.apiserver.k8s.io/v1",
        "kind": "FlowSchema",
        "metadata": {"name": name},
        "spec": {
            "priorityLevelConfiguration": {"name": to},
            "matchingPrecedence": 500,
            "distinguisherMethod": {"type": "ByUser"},
            "rules": [rule],
        },
    }


def exported(store: Store, folder: Path, *objects: Document) -> None:
    """Ingest objects as kubectl prints them."""
    path = folder / "objects.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    ingest(store, [path], "prod")
