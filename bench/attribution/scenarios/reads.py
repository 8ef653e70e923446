"""Causes that only read: polling agents, and LISTs of what is large."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..incident import Pattern
from ..mechanism import Mechanism, Planted, any_course, at_rate, exact, of, on_nodes, pick, some
from ..names import AGENTS
from ..world import Cell, World


def telemetry_list_storm(world: World, rng: np.random.Generator) -> Mechanism:
    """An agent of every node LISTs several resources of the whole cluster, all at one interval."""
    component, kind = AGENTS[int(rng.integers(len(AGENTS)))]
    here = [name for name in ("datadog-agent", "fluent-bit") if name in world.components()]
    if here and rng.random() < 0.3:  # not a new agent, but a new version of one
        component = pick(rng, here)
        kind = world.kind(component)
    resources = some(
        rng, ("pods", "nodes", "endpoints", "namespaces", "services", "replicasets"), 1, 4
    )
    cells = [Cell(component, kind, "list", name, None, "cluster") for name in resources]
    planted = on_nodes([Planted(cell) for cell in cells])
    return replace(of(planted, exact(planted)), deployed=component)


def cni_polling(world: World, rng: np.random.Generator) -> Mechanism:
    """The network agent of every node reads its own objects over and over."""
    agents = [name for name in ("cilium-agent", "calico-node") if name in world.components()]
    component = pick(rng, agents or ["aws-node"])
    polled = {
        "cilium-agent": ("ciliumendpoints", "ciliumnodes", "ciliumidentities"),
        "calico-node": ("ipamblocks", "blockaffinities", "felixconfigurations"),
        "aws-node": ("eniconfigs", "nodes"),
    }[component]
    verb = pick(rng, ("get", "get", "list"))
    scope = "object" if verb == "get" else "cluster"
    resources = some(rng, polled, 1, 2)
    cells = [Cell(component, "network", verb, name, None, scope) for name in resources]
    planted = on_nodes(at_rate(cells, rng))
    deployed = component if rng.random() < 0.6 else None
    return replace(of(planted, exact(planted)), deployed=deployed)


def crd_list(world: World, rng: np.random.Generator) -> Mechanism:
    """A controller LISTs all objects of one large custom resource instead of watching them."""
    readers = world.components("controller", "gitops", "backup", "security", "telemetry")
    component = pick(rng, [name for name in readers if name != "kube-controller-manager"])
    custom = [flow.cell.resource for flow in world.flows if flow.cell.kind == "controller"]
    names = sorted({name for name in custom if name and name not in BUILT_IN})
    large = sorted(names, key=lambda name: -world.objects.get(name, 0))[:6]
    cell = Cell(component, world.kind(component), "list", pick(rng, large), None, "cluster")
    deployed = component if rng.random() < 0.5 else None
    return replace(of([Planted(cell)], exact([Planted(cell)])), deployed=deployed)


def secret_poll(world: World, rng: np.random.Generator) -> Mechanism:
    """A secret reader asks for every secret at a short interval, by name or by namespace."""
    readers = world.components("security", "certificates", "controller", "gitops", "ingress")
    component = pick(rng, [name for name in readers if name != "kube-controller-manager"])
    kind = world.kind(component)
    ways = [("get", "object"), ("list", "namespace")]
    chosen = [ways[i] for i in rng.permutation(2)[: 1 if rng.random() < 0.7 else 2]]
    planted = [
        Planted(Cell(component, kind, verb, "secrets", None, scope)) for verb, scope in chosen
    ]
    deployed = component if rng.random() < 0.5 else None
    return replace(of(planted, exact(planted)), deployed=deployed)


def autoscaler_list(world: World, rng: np.random.Generator) -> Mechanism:
    """An autoscaler loses its cache and LISTs what it needs in each round."""
    here = world.components("autoscaler")
    component = pick(rng, here) if here and rng.random() < 0.7 else "karpenter"
    read: Sequence[str] = ("pods", "nodes", "persistentvolumeclaims", "daemonsets", "replicasets")
    resources = some(rng, read, 2, 3)
    cells = [Cell(component, "autoscaler", "list", name, None, "cluster") for name in resources]
    planted = [Planted(cell) for cell in cells]
    truth = frozenset(Pattern(component, "list", name) for name in resources)
    return replace(of(planted, truth), course=any_course(rng), deployed=component)


BUILT_IN = frozenset(
    ("pods", "configmaps", "secrets", "services", "statefulsets", "deployments", "jobs", "leases",
     "events", "nodes", "namespaces", "endpoints", "endpointslices", "replicasets", "daemonsets",
     "cronjobs", "serviceaccounts", "resourcequotas", "poddisruptionbudgets", "storageclasses",
     "horizontalpodautoscalers", "persistentvolumes", "persistentvolumeclaims", "csinodes",
     "volumeattachments", "roles", "rolebindings", "clusterroles", "ingresses", "networkpolicies",
     "customresourcedefinitions")
)  # fmt: skip
