"""Causes that fill many cells at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..incident import Pattern
from ..mechanism import (
    Mechanism,
    Planted,
    Reaction,
    any_course,
    at_rate,
    event,
    existing,
    kcm,
    lag_s,
    of,
    on_nodes,
)
from ..world import Cell, World

KUBELET = ("kubelet", "node-agent")
OF_PODS = ("configmaps", "secrets", "pods")
PODS_READ = 6.0  # GETs for each pod of a node, per LIST of the node


def relist_after_restart(world: World, rng: np.random.Generator) -> Mechanism:
    """An API server restarts: every cache opens its watches again, and most LIST before."""
    caches = [flow for flow in world.flows if flow.informer]
    planted = [
        Planted(flow.cell, flow.clients * float(rng.uniform(0.6, 1.0)), flow.per_node)
        for flow in caches
    ]
    leases = [flow for flow in world.flows if flow.cell.resource == "leases"]
    reactions = [
        Reaction(flow.cell, 0.01 * flow.clients / max(world.nodes, 1), lag_s(rng))
        for flow in leases
        if flow.cell.verb == "update"
    ]
    truth = [Pattern(None, "list", None), Pattern(None, "watch", None)]
    return replace(of(planted, truth, reactions), course=any_course(rng))


def kubelet_restart(world: World, rng: np.random.Generator) -> Mechanism:
    """Kubelets start again, all at once or again and again, and read all that they need."""
    lists = at_rate(existing(world, "kubelet", "list"), rng)
    gets = at_rate(existing(world, "kubelet", "get", skip=("leases",)), rng, 0.5)
    watches = [Planted(cell, 0.5) for cell in existing(world, "kubelet", "watch")]
    per_pod = [
        replace(part, rate=part.rate * PODS_READ) if part.cell.resource in OF_PODS else part
        for part in gets
    ]
    planted = on_nodes([*lists, *per_pod, *watches])
    reactions = [
        Reaction(Cell(*KUBELET, "patch", "nodes", "status"), 0.03, 0.0),
        Reaction(Cell(*KUBELET, "patch", "pods", "status"), float(rng.uniform(0.02, 0.1)), 0.0),
        Reaction(event(*KUBELET), float(rng.uniform(0.01, 0.1)), lag_s(rng)),
        Reaction(kcm("patch", "nodes"), float(rng.uniform(0.0, 0.03)), lag_s(rng)),
        Reaction(kcm("update", "endpointslices"), float(rng.uniform(0.0, 0.05)), lag_s(rng)),
    ]
    truth = [Pattern("kubelet", "list", None), Pattern("kubelet", "get", None)]
    optional = [
        Pattern("kubelet", "watch", None),
        Pattern("kubelet", "create", "events"),
        Pattern("kubelet", "patch", "nodes"),
        Pattern("kubelet", "patch", "pods"),
    ]
    return replace(of(planted, truth, reactions, optional), course=any_course(rng))


def ci_burst(world: World, rng: np.random.Generator) -> Mechanism:
    """A pipeline makes, reads and deletes objects of many resources; the cluster runs them."""
    here = [name for name in world.components("ci") if len(world.of(name)) >= 6]
    component = here[int(rng.integers(len(here)))] if here else "jenkins"
    cells = [flow.cell for flow in world.of(component)] or _pipeline(component)
    planted = at_rate(cells, rng, 0.6)
    pods = float(rng.uniform(0.03, 0.12))
    scheduler = ("kube-scheduler", "scheduler")
    reactions = [
        Reaction(Cell(*scheduler, "create", "pods", "binding"), pods, lag_s(rng)),
        Reaction(Cell(*KUBELET, "patch", "pods", "status"), 2 * pods, lag_s(rng)),
        Reaction(Cell(*KUBELET, "get", "secrets"), pods, lag_s(rng)),
        Reaction(Cell(*KUBELET, "create", "serviceaccounts", "token"), pods, lag_s(rng)),
        Reaction(event(*KUBELET), 2 * pods, lag_s(rng)),
        Reaction(event(*scheduler), pods, lag_s(rng)),
        Reaction(kcm("update", "endpointslices"), 0.5 * pods, lag_s(rng)),
        Reaction(kcm("update", "jobs", "status"), 0.5 * pods, lag_s(rng)),
    ]
    return of(planted, [Pattern(component, None, None)], reactions)


def _pipeline(component: str) -> list[Cell]:
    """What a pipeline sends that did not run before."""
    made = ("pods", "secrets", "configmaps", "services", "jobs", "namespaces", "rolebindings")
    verbs = (("create", "namespace"), ("get", "object"), ("delete", "object"))
    return [
        Cell(component, "ci", verb, name, None, scope) for name in made for verb, scope in verbs
    ]
