"""Causes that repeat: hot loops, retries of what fails, leaders that change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..incident import Pattern
from ..mechanism import (
    Mechanism,
    Planted,
    Reaction,
    any_course,
    event,
    exact,
    existing,
    kcm,
    lag_s,
    of,
    pick,
    some,
)
from ..world import Cell, World

CHILDREN = ("deployments", "statefulsets", "daemonsets", "replicasets", "jobs")


def controller_hot_loop(world: World, rng: np.random.Generator) -> Mechanism:
    """A controller reads and writes one resource without end; its own write wakes it again.

    The controllers of the children of that object, and those that apply it, follow each write.
    """
    component = pick(rng, [name for name in world.components("controller") if "operator" in name])
    kind = world.kind(component)
    resource = pick(rng, sorted({str(cell.resource) for cell in existing(world, component, "update")
                                 if cell.resource != "leases"}))  # fmt: skip
    verb = pick(rng, ("update", "update", "patch"))
    subresource = "status" if rng.random() < 0.3 else None
    planted = [
        Planted(Cell(component, kind, "get", resource)),
        Planted(Cell(component, kind, verb, resource, subresource), float(rng.uniform(0.6, 1.2))),
    ]
    child = pick(rng, CHILDREN)
    reactions = [
        Reaction(kcm("update", child, "status"), float(rng.uniform(0.05, 0.3)), lag_s(rng)),
        Reaction(kcm("update", "endpointslices"), float(rng.uniform(0.0, 0.15)), lag_s(rng)),
        Reaction(event(component, kind), float(rng.uniform(0.0, 0.1)), lag_s(rng)),
    ]
    if "argocd-application-controller" in world.components():
        applied = Cell("argocd-application-controller", "gitops", "patch", "applications")
        reactions.append(Reaction(applied, float(rng.uniform(0.02, 0.1)), lag_s(rng)))
    optional = [Pattern(component, "create", "events")]
    deployed = component if rng.random() < 0.7 else None
    return replace(of(planted, exact(planted), reactions, optional), deployed=deployed)


def leader_flapping(world: World, rng: np.random.Generator) -> Mechanism:
    """A controller loses its lease and wins it again; each time it reads its caches anew."""
    leaders = [
        name for name in world.components("controller", "security", "certificates", "gitops",
                                          "autoscaler", "scheduler")
        if any(cell.resource == "leases" for cell in existing(world, name, "update"))
        and len(_caches(world, name)) >= 3
    ]  # fmt: skip
    component = pick(rng, leaders)
    lists = _caches(world, component)
    cost = sum(world.cost_s(cell) for cell in lists)
    lease = next(c for c in existing(world, component, "update") if c.resource == "leases")
    tries = float(rng.uniform(0.1, 0.3)) * cost / world.cost_s(lease)
    reads = [replace(cell, verb="watch") for cell in lists]
    planted = [Planted(lease, max(tries, 1.0)), *(Planted(cell) for cell in (*lists, *reads))]
    planted.append(Planted(replace(lease, verb="get"), tries))
    truth = [Pattern(component, "update", "leases"), Pattern(component, "list", None)]
    optional = [Pattern(component, "watch", None), Pattern(component, "get", "leases"),
                Pattern(component, "create", "events")]  # fmt: skip
    reactions = [Reaction(event(component, world.kind(component)), 0.01, lag_s(rng))]
    made = of(planted, truth, reactions, optional)
    return replace(made, course=any_course(rng))


def failing_webhook(world: World, rng: np.random.Generator) -> Mechanism:
    """An admission webhook does not answer; one writer sends the same write again and again."""
    writers = world.components("controller", "ci", "gitops")
    component = pick(rng, writers)
    resource = pick(rng, ("pods", "deployments", "jobs", "configmaps", "services"))
    verb = pick(rng, ("create", "create", "patch"))
    scope = "namespace" if verb == "create" else "object"
    cell = Cell(component, world.kind(component), verb, resource, None, scope)
    planted = [Planted(cell, failed=float(rng.uniform(0.8, 1.0)), impatient=True)]
    failures = Reaction(event(component, cell.kind), float(rng.uniform(0.02, 0.2)), lag_s(rng))
    return of(planted, exact(planted), [failures], [Pattern(component, "create", "events")])


def retry_storm(world: World, rng: np.random.Generator) -> Mechanism:
    """A client is throttled and asks again at once, without back-off."""
    names = world.components("controller", "telemetry", "security", "ci", "backup", "gitops")
    component = pick(rng, [name for name in names if name != "kube-controller-manager"])
    kind = world.kind(component)
    verb, scope = [("list", "cluster"), ("get", "object"), ("list", "namespace")][rng.integers(3)]
    resources = some(rng, ("pods", "configmaps", "secrets", "services", "jobs"), 1, 2)
    throttled = float(rng.uniform(0.4, 0.85))
    planted = [
        Planted(Cell(component, kind, verb, name, None, scope), float(rng.uniform(0.6, 1.5)),
                throttled=throttled, impatient=True)
        for name in resources
    ]  # fmt: skip
    deployed = component if rng.random() < 0.4 else None
    return replace(of(planted, exact(planted)), deployed=deployed)


def _caches(world: World, component: str) -> list[Cell]:
    """The LIST cells of the informers of a component."""
    flows = world.of(component)
    return [flow.cell for flow in flows if flow.informer and flow.cell.verb == "list"]
