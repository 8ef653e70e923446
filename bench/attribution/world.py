"""A cluster at rest: who asks the API server for what, how often, and what a request costs."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from .incident import Key
from .operators import Client, operators

CLIENTS = Path(__file__).with_name("clients.toml")
WATCHES_PER_MINUTE = 1 / 7.5  # a watch ends after 5 to 10 minutes
LISTS_PER_MINUTE = 0.01  # a new start, or a resourceVersion that is too old
PER_NODE = {
    "pods": 15.0, "nodes": 1.0, "leases": 1.0, "events": 20.0, "services": 2.0, "endpoints": 2.0,
    "endpointslices": 2.2, "configmaps": 5.0, "secrets": 5.0, "replicasets": 12.0,
    "deployments": 4.0, "jobs": 2.0, "ciliumendpoints": 14.0, "ciliumnodes": 1.0,
    "serviceaccounts": 2.0, "csinodes": 1.0, "rolebindings": 2.0, "persistentvolumeclaims": 1.0,
    "persistentvolumes": 1.0, "ciliumidentities": 3.0,
}  # fmt: skip
SELECTED = ("pods", "nodes", "configmaps", "secrets")  # an agent asks for those of its node
COST_S = {"get": 0.0025, "watch": 0.0015, "delete": 0.006, "deletecollection": 0.008}
WRITE_S = 0.005
OBJECT_S = 0.00012  # serialising one object of a LIST; a pod is larger
POD_S = 0.0002


@dataclass(frozen=True)
class Cell:
    """What is counted together; the resource of a non-resource URL is None."""

    component: str
    kind: str
    verb: str
    resource: str | None
    subresource: str | None = None
    scope: str = "object"

    @property
    def key(self) -> Key:
        """The part of a cell that patterns see."""
        return self.component, self.verb, self.resource


@dataclass(frozen=True)
class Flow:
    """Requests per second of a cell in the whole cluster, and the cost and seats of one.

    `clients` is the number of programs behind it; `informer` marks the WATCH and LIST of a cache.
    """

    cell: Cell
    per_s: float
    cost_s: float
    seats: float
    clients: float
    per_node: bool = False
    informer: bool = False


@dataclass(frozen=True)
class World:
    """A cluster: its nodes, flows (one per cell), and the number of objects of each resource."""

    nodes: int
    namespaces: int
    flows: tuple[Flow, ...]
    objects: Mapping[str, float]

    def of(self, component: str) -> list[Flow]:
        """The flows of one component."""
        return [flow for flow in self.flows if flow.cell.component == component]

    def components(self, *kinds: str) -> list[str]:
        """The components of these kinds (all if none is given), in order of name."""
        cells = (flow.cell for flow in self.flows)
        return sorted({cell.component for cell in cells if not kinds or cell.kind in kinds})

    def kind(self, component: str) -> str:
        """The kind of a component that is there."""
        return self.of(component)[0].cell.kind

    def cost_s(self, cell: Cell) -> float:
        """The cost of one request: as it is in the cluster, or as usual for the verb."""
        known = [flow.cost_s for flow in self.flows if flow.cell == cell]
        return known[0] if known else usual_cost_s(cell, self.objects, self.namespaces)

    def seats(self, cell: Cell) -> float:
        """The seats that priority and fairness gives one request."""
        return seats(cell, self.objects, self.namespaces)


def build(rng: np.random.Generator) -> World:
    """A cluster of 20 to 150 nodes with 30 to 80 components."""
    nodes = int(rng.integers(20, 151))
    namespaces = int(rng.integers(10, 80))
    clients = [*_usual(rng), *operators(rng)]
    objects = _objects(nodes, namespaces, clients, rng)
    flows = [flow for client in clients for flow in _flows(client, nodes, namespaces, objects, rng)]
    return World(nodes, namespaces, tuple(_merged(flows)), objects)


def usual_cost_s(cell: Cell, objects: Mapping[str, float], namespaces: int) -> float:
    """Seconds of one uncongested request; a LIST costs by the objects that it reads."""
    if cell.verb != "list":
        return COST_S.get(cell.verb, WRITE_S)
    per_object = POD_S if cell.resource == "pods" else OBJECT_S
    return 0.003 + per_object * _listed(cell, objects, namespaces)


def seats(cell: Cell, objects: Mapping[str, float], namespaces: int) -> float:
    """One seat per 100 objects of a LIST, from 1 to 100; all else takes one."""
    if cell.verb != "list":
        return 1.0
    return float(np.clip(np.ceil(_listed(cell, objects, namespaces) / 100), 1, 100))


def _listed(cell: Cell, objects: Mapping[str, float], namespaces: int) -> float:
    number = objects.get(cell.resource or "", 20.0)
    return number / namespaces if cell.scope == "namespace" else number


@cache
def _catalogue() -> tuple[Client, ...]:
    return tuple(tomllib.loads(CLIENTS.read_text(encoding="utf-8"))["client"])


def _usual(rng: np.random.Generator) -> list[Client]:
    return [client for client in _catalogue() if rng.random() < client.get("chance", 1.0)]


def _objects(
    nodes: int, namespaces: int, clients: list[Client], rng: np.random.Generator
) -> dict[str, float]:
    objects = {name: number * nodes for name, number in PER_NODE.items()}
    objects["namespaces"] = float(namespaces)
    objects["customresourcedefinitions"] = float(rng.integers(30, 200))
    for client in clients:
        for resource in client.get("custom", ()):
            objects[resource] = float(np.ceil(np.exp(rng.normal(5.0, 1.3))))
    return objects


def _flows(
    client: Client,
    nodes: int,
    namespaces: int,
    objects: Mapping[str, float],
    rng: np.random.Generator,
) -> Iterator[Flow]:
    """The flows of one client; no two clusters run it at the same rate."""
    per_node = client["per"] == "node"
    clients = float(nodes if per_node else client.get("replicas", 1))
    who = (client["component"], client["kind"])
    busy = float(np.exp(rng.normal(0.0, 0.25)))
    for verb, path, scope, per_minute, cost_ms in client["calls"]:
        resource, subresource = _parts(path)
        cell = Cell(*who, verb, resource, subresource, scope)
        cost = cost_ms / 1000 or usual_cost_s(cell, objects, namespaces)
        rate = clients * per_minute * busy / 60 * float(np.exp(rng.normal(0.0, 0.2)))
        yield Flow(cell, rate, cost, seats(cell, objects, namespaces), clients, per_node)
    for resource in client["informers"]:
        selected = per_node and resource in SELECTED
        for verb, per_minute in (("watch", WATCHES_PER_MINUTE), ("list", LISTS_PER_MINUTE)):
            cell = Cell(*who, verb, resource, None, "cluster")
            cost = 0.004 if selected and verb == "list" else usual_cost_s(cell, objects, namespaces)
            size = 1.0 if selected else seats(cell, objects, namespaces)
            yield Flow(cell, clients * per_minute / 60, cost, size, clients, per_node, True)


def _parts(path: str) -> tuple[str | None, str | None]:
    if path.startswith("/"):
        return None, None
    resource, _, subresource = path.partition("/")
    return resource, subresource or None


def _merged(flows: list[Flow]) -> Iterator[Flow]:
    """One flow per cell; paths of non-resource URLs come together."""
    merged: dict[Cell, Flow] = {}
    for flow in flows:
        merged[flow.cell] = _sum(merged[flow.cell], flow) if flow.cell in merged else flow
    return iter(merged.values())


def _sum(one: Flow, other: Flow) -> Flow:
    rate = one.per_s + other.per_s
    cost = (one.per_s * one.cost_s + other.per_s * other.cost_s) / rate
    return replace(one, per_s=rate, cost_s=cost, informer=one.informer or other.informer)
