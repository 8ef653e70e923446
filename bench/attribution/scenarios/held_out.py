"""Mechanisms that nobody may tune on: they show whether a method knows causes or the generator."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..incident import Pattern
from ..mechanism import (
    Mechanism,
    Planted,
    Reaction,
    Scenario,
    at_rate,
    event,
    exact,
    existing,
    kcm,
    lag_s,
    of,
    on_nodes,
    pick,
    some,
)
from ..names import SCRIPTS
from ..world import Cell, World

KUBELET = ("kubelet", "node-agent")
KCM = "kube-controller-manager"


def namespace_cascade(world: World, rng: np.random.Generator) -> Mechanism:
    """Namespaces are deleted: the controller manager empties each of them, resource by resource."""
    resources = sorted({str(cell.resource) for cell in existing(world, KCM, "deletecollection")})
    resources += some(rng, ("jobs", "ingresses", "rolebindings", "replicasets", "endpoints"), 2, 5)
    collections = [kcm("deletecollection", name, None, "namespace") for name in resources]
    lists = [kcm("list", name, None, "namespace") for name in resources]
    # The LIST that follows finds nothing, so it costs little beside the deletion.
    planted = [*at_rate(collections, rng, 0.2), *(Planted(cell, 0.3) for cell in lists)]
    reactions = [
        Reaction(kcm("update", "namespaces"), 0.03, 0.0),
        Reaction(kcm("update", "endpointslices"), float(rng.uniform(0.02, 0.15)), lag_s(rng)),
        Reaction(Cell(*KUBELET, "delete", "pods"), float(rng.uniform(0.02, 0.1)), lag_s(rng)),
        Reaction(
            Cell(*KUBELET, "patch", "pods", "status"), float(rng.uniform(0.03, 0.2)), lag_s(rng)
        ),
        Reaction(event(*KUBELET), float(rng.uniform(0.02, 0.1)), lag_s(rng)),
    ]
    optional = [Pattern(KCM, "list", None), Pattern(KCM, "update", "namespaces")]
    return of(planted, [Pattern(KCM, "deletecollection", None)], reactions, optional)


def broken_informers(world: World, rng: np.random.Generator) -> Mechanism:
    """After an upgrade a controller cannot keep a watch and reads all its caches, over and over."""
    names = [name for name in world.components() if name not in ("kube-apiserver", KCM)]
    caches = {
        name: [flow for flow in world.of(name) if flow.informer and not flow.per_node]
        for name in names
    }
    component = pick(rng, [name for name in names if len(caches[name]) >= 6])
    planted = at_rate((flow.cell for flow in caches[component]), rng, 0.1)
    truth = [Pattern(component, "list", None), Pattern(component, "watch", None)]
    return replace(of(planted, truth), deployed=component)


def event_flood(world: World, rng: np.random.Generator) -> Mechanism:
    """Something fails on every node, or in one controller, and each failure is an event."""
    component = pick(rng, ["kubelet", *world.components("controller", "scheduler")])
    kind = world.kind(component)
    planted = [
        Planted(event(component, kind, "create"), float(rng.uniform(0.5, 1.5))),
        Planted(event(component, kind, "patch")),
    ]
    planted = on_nodes(planted) if component == "kubelet" else planted
    return of(planted, exact(planted))


def orphan_collection(world: World, rng: np.random.Generator) -> Mechanism:
    """Owners are gone: the garbage collector reads and deletes every object that they had."""
    resources = some(
        rng, ("pods", "replicasets", "jobs", "configmaps", "secrets", "endpointslices"), 2, 4
    )
    planted = [
        Planted(kcm(verb, name), rate)
        for name, rate in zip(resources, rng.uniform(0.5, 1.5, len(resources)), strict=True)
        for verb in ("get", "delete")
    ]
    reactions = [
        Reaction(
            Cell(*KUBELET, "patch", "pods", "status"), float(rng.uniform(0.0, 0.1)), lag_s(rng)
        ),
        Reaction(event(*KUBELET), float(rng.uniform(0.0, 0.1)), lag_s(rng)),
    ]
    return of(planted, exact(planted), reactions)


def node_status_patches(world: World, rng: np.random.Generator) -> Mechanism:
    """An agent patches the status of its node without end; each patch wakes all who watch nodes."""
    agents = (
        ("node-problem-detector", "node-agent"),
        ("gpu-feature-discovery", "node-agent"),
        ("csi-driver", "storage"),
    )
    component, kind = agents[int(rng.integers(len(agents)))]
    planted = on_nodes([Planted(Cell(component, kind, "patch", "nodes", "status"))])
    reactions = [
        Reaction(kcm("patch", "nodes"), float(rng.uniform(0.0, 0.2)), lag_s(rng)),
        Reaction(kcm("update", "daemonsets", "status"), float(rng.uniform(0.0, 0.1)), lag_s(rng)),
    ]
    return replace(of(planted, exact(planted), reactions), deployed=component)


def discovery_hammering(world: World, rng: np.random.Generator) -> Mechanism:
    """A script throws its discovery cache away and reads every API group before each command."""
    component, kind = SCRIPTS[int(rng.integers(len(SCRIPTS)))]
    planted = [Planted(Cell(component, kind, "get", None, None, "nonresource"))]
    return of(planted, exact(planted))


def token_reviews(world: World, rng: np.random.Generator) -> Mechanism:
    """A webhook of authentication asks the API server about every request that it is sent."""
    component = pick(rng, ["kube-rbac-proxy", *world.components("telemetry", "network")])
    known = component in world.components()
    kind = world.kind(component) if known else "access-proxy"
    resources = some(rng, ("tokenreviews", "subjectaccessreviews"), 1, 2)
    planted = at_rate(
        (Cell(component, kind, "create", name, None, "cluster") for name in resources), rng
    )
    return of(planted, exact(planted))


def configmap_reload(world: World, rng: np.random.Generator) -> Mechanism:
    """A configmap that all pods mount changes all the time; every kubelet reads it each time."""
    planted = on_nodes([Planted(Cell(*KUBELET, "get", "configmaps"))])
    writer = pick(rng, world.components("controller", "gitops"))
    write = Cell(writer, world.kind(writer), "update", "configmaps")
    reactions = [Reaction(write, float(rng.uniform(0.005, 0.02)), 0.0)]
    return of(planted, exact(planted), reactions, [Pattern(writer, "update", "configmaps")])


HELD_OUT: tuple[tuple[str, Scenario], ...] = (
    ("namespace-cascade", namespace_cascade),
    ("broken-informers", broken_informers),
    ("event-flood", event_flood),
    ("orphan-collection", orphan_collection),
    ("node-status-patches", node_status_patches),
    ("discovery-hammering", discovery_hammering),
    ("token-reviews", token_reviews),
    ("configmap-reload", configmap_reload),
)
