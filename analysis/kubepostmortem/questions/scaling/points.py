"""One cluster of the incident as a point of a law: its size, and what the cause took there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl

from kubepostmortem.incident import iso
from kubepostmortem.questions.calls import Calls
from kubepostmortem.questions.question import Inquiry
from kubepostmortem.questions.scaling import recorded
from kubepostmortem.questions.scaling.pace import Pace, paced
from kubepostmortem.questions.scaling.power_law import Load

FEWEST_BATCHES = 3  # that a mean and its error rest on
MOST_REFUSED = 0.01  # of the requests: beyond, the load is what was let through
KEPT_WAITING = 0.8  # of what clients would ask: below, they were held up by answers that came late


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over batches, and its standard error (both in the unit of what it is a mean of)."""

    value: float
    error: float

    @property
    def relative(self) -> float:
        """The error as a part of the mean."""
        return self.error / self.value if self.value > 0 else 0.0


@dataclass(frozen=True)
class Point:
    """A cluster while most clients of the cause called, from begins_at to ends_at (UTC).

    nodes: of the cluster; covered: of them, those that the cause called from (0: no call names
    one); objects: stored of what the cause asks for (None: unknown); servers: API servers; pace:
    what its clients would ask, and what that costs in quiet times; recorded: requests per second
    in the log; seats, executing, request_seconds: seats that they held, requests executing, and
    requests in flight with those that waited; baseline_cores, cores: of all API servers.
    """

    cluster: str
    nodes: int
    nodes_from: str
    covered: int
    clients: int
    servers: int
    begins_at: datetime
    ends_at: datetime
    objects: int | None
    pace: Pace
    recorded: Mean
    request_seconds: Mean
    executing: Mean
    seats: Mean
    baseline_cores: Mean | None
    cores: Mean | None

    @property
    def held_back(self) -> bool:
        """Whether refusals or late answers kept clients from asking at their own pace."""
        waited = self.pace.period_s and self.pace.first_tries < KEPT_WAITING * self.pace.offered
        return self.pace.refused_share > MOST_REFUSED or bool(waited)

    @property
    def on_all_nodes(self) -> float:
        """By how much more it would ask if the overload had not kept clients from starting."""
        kept = self.held_back and 0 < self.covered < self.nodes
        return self.nodes / self.covered if kept else 1.0

    @property
    def growth_cores(self) -> Mean | None:
        """Cores beyond those of the baseline."""
        if self.cores is None or self.baseline_cores is None:
            return None
        errors = self.cores.error, self.baseline_cores.error
        return Mean(self.cores.value - self.baseline_cores.value, float(np.hypot(*errors)))

    @property
    def facts(self) -> dict[str, Any]:
        """Plain data, for machines."""
        grown = self.growth_cores
        return asdict(self) | {
            "begins_at": iso(self.begins_at),
            "ends_at": iso(self.ends_at),
            "held_back": self.held_back,
            "growth_cores": asdict(grown) if grown else None,
        }


def points(inquiry: Inquiry, calls: Calls) -> list[Point]:
    """Return the clusters that the cause calls and whose nodes are known, the smallest first."""
    there = recorded.presence(inquiry, calls)
    kinds = recorded.cells(inquiry, calls).to_dicts()
    loads, cores = recorded.loads(inquiry, calls), recorded.cores(inquiry, calls)
    objects = recorded.objects(inquiry, calls)
    paces = paced(kinds, {row["cluster"]: row for row in there})
    found = [
        _point(row, paces[row["cluster"]], objects.get(row["cluster"]), loads, cores)
        for row in there
        if row["nodes"] and row["plateau_s"] and row["cluster"] in paces
    ]
    return sorted(found, key=lambda one: (one.nodes, one.cluster))


def of(found: Iterable[Point], measure: str, size: str = "nodes") -> list[Load]:
    """Return one measure of each cluster against its nodes or objects, where both are known."""
    known = [(getattr(one, size), MEASURES[measure](one)) for one in found]
    return [Load(float(at), mean.value, mean.relative) for at, mean in known if at and mean]


def _point(
    row: Mapping[str, Any],
    pace: Pace,
    objects: int | None,
    loads: pl.DataFrame,
    cores: pl.DataFrame,
) -> Point:
    cluster = row["cluster"]
    own = loads.filter(pl.col("cluster") == cluster)
    busy = cores.filter(pl.col("cluster") == cluster)
    return Point(
        cluster=cluster,
        nodes=row["nodes"],
        nodes_from=row["nodes_from"],
        covered=row["covered"],
        clients=row["clients"],
        servers=row["servers"],
        begins_at=row["plateau_at"],
        ends_at=row["plateau_ends_at"],
        objects=objects,
        pace=pace,
        recorded=_whole(own["requests_per_s"]),
        request_seconds=_whole(own["request_seconds"]),
        executing=_whole(own["executing"]),
        seats=_whole(own["seats"]),
        baseline_cores=_sampled(busy.filter(pl.col("part") == "baseline")["cores"]),
        cores=_sampled(busy.filter(pl.col("part") == "overload")["cores"]),
    )


def _whole(batches: pl.Series) -> Mean:
    """Return the mean over all batches; those without a request have no row."""
    return _mean([*batches.to_list(), *[0.0] * (recorded.BATCHES - len(batches))])


def _sampled(batches: pl.Series) -> Mean | None:
    """Return the mean over batches with a sample, None where they are too few."""
    return _mean(batches.to_list()) if len(batches) >= FEWEST_BATCHES else None


def _mean(values: Sequence[float]) -> Mean:
    """Return the mean of batches and its error, the method of batch means (Conway 1963)."""
    array = np.array(values)
    return Mean(float(array.mean()), float(array.std(ddof=1) / array.size**0.5))


def _told(value: float, relative: float) -> Mean:
    return Mean(value, value * relative)


MEASURES: Mapping[str, Callable[[Point], Mean | None]] = {
    "requests": lambda one: _told(one.pace.offered * one.on_all_nodes, one.pace.offered_error),
    "objects": lambda one: _told(one.pace.objects_read * one.on_all_nodes, one.pace.offered_error),
    "demand": lambda one: _told(one.pace.demand, one.pace.demand_error),
    "seats": lambda one: one.seats,
    "executing": lambda one: one.executing,
    "request_seconds": lambda one: one.request_seconds,
    "cpu": lambda one: one.growth_cores,
    "baseline_cpu": lambda one: one.baseline_cores,
}
