"""Load with a planted truth, as attribution takes it: rates of cells over bins of ten seconds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from kubepostmortem.attribution.axis import Axis

BIN_S = 10.0
QUIET, LOUD = 60, 30  # bins of the two windows


@dataclass(frozen=True)
class Cell:
    """One cell: requests per second before and in the overload, and what one costs.

    begins: bin of the overload at which its rate changes; refused: of its requests, answered 429;
    joined: of its requests, from nodes that joined; took_s: of one request in either window.
    """

    component: str
    verb: str = "list"
    resource: str | None = "pods"
    before: float = 0.0
    after: float = 0.0
    cost_s: float = 0.01
    kind: str = "telemetry"
    begins: int = 0
    refused: float = 0.0
    joined: float = 0.0
    took_s: tuple[float, float] = (0.01, 0.01)
    seats: float = 1.0

    @property
    def key(self) -> tuple[str, str, str | None]:
        """Its place: component, verb and resource."""
        return self.component, self.verb, self.resource


def axis(joined: float = 0.0, before: float = 100.0) -> Axis:
    """The bins of a baseline and an overload, with nodes that join at the overload's beginning."""
    bins = np.arange(QUIET + LOUD)
    loud = bins >= QUIET
    return Axis(
        width_s=np.full(bins.size, BIN_S),
        cluster=np.zeros(bins.size, dtype=np.int64),
        baseline=~loud,
        overload=loud,
        nodes_before=np.full(bins.size, before),
        nodes_joined=np.where(loud, joined, 0.0),
    )


def rows(cells: Iterable[Cell], seed: int | None = 1) -> pl.DataFrame:
    """Rows of load; counts vary by chance (Poisson), without a seed not at all."""
    random = None if seed is None else np.random.default_rng(seed)
    return pl.concat(_cell_rows(cell, random) for cell in cells)


def _cell_rows(cell: Cell, random: np.random.Generator | None) -> pl.DataFrame:
    bins = np.arange(QUIET + LOUD)
    changed = bins >= QUIET + cell.begins
    mean = np.where(changed, cell.after, cell.before) * BIN_S
    requests = mean if random is None else random.poisson(mean).astype(float)
    took = np.where(changed, cell.took_s[1], cell.took_s[0])
    refused = np.where(changed, cell.refused, 0.0) * requests
    return pl.DataFrame(
        {
            "bin": bins,
            "requests": requests,
            "throttled": refused,
            "failed": np.zeros(bins.size),
            "new_node_requests": np.where(changed, cell.joined, 0.0) * (requests - refused),
            "request_s": requests * took,
        }
    ).with_columns(
        component=pl.lit(cell.component),
        kind=pl.lit(cell.kind),
        verb=pl.lit(cell.verb),
        resource=pl.lit(cell.resource, dtype=pl.String),
        subresource=pl.lit(None, dtype=pl.String),
        scope=pl.lit("cluster" if cell.resource else "nonresource"),
        unit_cost_s=pl.lit(cell.cost_s),
        seats=pl.lit(cell.seats),
    )


def usual(nodes: int = 100) -> list[Cell]:
    """What a quiet cluster of this many nodes does all the time, changing nothing."""
    return [
        _steady("kubelet", "update", "leases", nodes / 10, 0.003, "node-agent"),
        _steady("kubelet", "patch", "nodes", nodes / 60, 0.01, "node-agent"),
        _steady("kubelet", "get", "configmaps", nodes / 40, 0.001, "node-agent"),
        _steady("cilium-agent", "watch", "pods", nodes / 100, 0.001, "network"),
        _steady("kube-proxy", "watch", "services", nodes / 100, 0.001, "network"),
        _steady("kube-controller-manager", "update", "leases", 0.5, 0.003, "controller"),
        _steady("kube-controller-manager", "update", "endpointslices", 1.0, 0.005, "controller"),
        _steady("kube-scheduler", "update", "leases", 0.5, 0.003, "scheduler"),
        _steady("argocd", "list", "applications", 0.2, 0.05, "gitops"),
        _steady("kubectl", "get", "nodes", 0.3, 0.01, "human"),
        _steady("prometheus", "get", None, 0.2, 0.1, "telemetry"),
    ]


def _steady(
    component: str, verb: str, resource: str | None, rate: float, cost_s: float, kind: str
) -> Cell:
    return Cell(component, verb, resource, rate, rate, cost_s, kind)


def changed(cells: Iterable[Cell], key: tuple[str, str, str | None], **fields: float) -> list[Cell]:
    """The same cells, with some fields of the one at this place changed."""
    return [replace(c, **fields) if c.key == key else c for c in cells]  # type: ignore[arg-type]
