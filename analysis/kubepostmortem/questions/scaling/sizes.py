"""Sizes that matter: where a limit is met, and how large a test must be to show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

from kubepostmortem.questions.scaling.laws import Laws
from kubepostmortem.questions.scaling.limits import Limit
from kubepostmortem.questions.scaling.points import Point
from kubepostmortem.questions.scaling.power_law import Estimate, PowerLaw, reaches
from kubepostmortem.questions.scaling.recorded import BATCHES

ROUND = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000)  # nodes to predict for
FARTHEST = 10  # times the largest cluster that is known
SHOWN = 0.1  # part of a limit that a test should use, to be worth a look
NOISE = 2.0  # standard deviations of the baseline's cores that growth must exceed to stand out


@dataclass(frozen=True, slots=True)
class Break:
    """Nodes at which a limit is met: the least of it, and the most where others lend theirs.

    low and high: 95 % interval of the law about these; None: not below a million nodes.
    """

    limit: Limit
    first: float
    last: float | None
    low: float
    high: float | None

    @property
    def facts(self) -> dict[str, Any]:
        """Plain data, for machines."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class LoadTest:
    """A load test: nodes, the clients' requests per second, and objects to store.

    seats, cores: that the cause would take in it; None: unknown.
    """

    nodes: int
    requests_per_s: float
    objects: int | None
    seats: float | None
    growth_cores: float | None

    @property
    def facts(self) -> dict[str, Any]:
        """Plain data, for machines."""
        return asdict(self)


def breaks(known: Laws, limits: Sequence[Limit]) -> list[Break]:
    """Return where each limit is met, the first one first; those that no law reaches left out."""
    found = []
    for limit in limits:
        curves = _curves(known, limit.measure)
        least, most = reaches(curves, limit.least), reaches(curves, limit.most)
        if least:
            last, high = (most.value, most.high) if most else (None, None)
            found.append(Break(limit, least.value, last, least.low, high))
    return sorted(found, key=lambda one: one.first)


def predictions(
    known: Laws, limits: Sequence[Limit], found: Sequence[Point]
) -> list[dict[str, Any]]:
    """Return a row per size, measured and round ones: what is expected there, and if it holds.

    saturated: whether a limit is met, as clusters have shown, else by the law (None: it depends on
    what others lend); sure: neither the interval of the law nor a law by theory can change that.
    """
    far = FARTHEST * found[-1].nodes
    sizes = sorted({*(size for size in ROUND if size <= far), *(one.nodes for one in found)})
    return [_predicted(known, limits, size) | _seen(found, size) for size in sizes]


def _seen(found: Sequence[Point], nodes: int) -> dict[str, Any]:
    """Return what clusters of this size, smaller or larger ones have shown."""
    if any(one.held_back and one.nodes <= nodes for one in found):
        return {"saturated": True, "sure": True}
    if any(not one.held_back and one.nodes >= nodes for one in found):
        return {"saturated": False, "sure": True}
    return {}


def smallest(known: Laws, limit: Limit) -> Estimate | None:
    """Return the fewest nodes at which the cause uses a tenth of a limit, and can be told by it."""
    law = known.by_nodes.get(limit.measure)
    size = reaches([law], SHOWN * limit.least) if law else None
    told = stands_out(known) if limit.measure == "cpu" else None
    return max((one for one in (size, told) if one), key=lambda one: one.value, default=None)


def stands_out(known: Laws) -> Estimate | None:
    """Return the fewest nodes at which the growth of CPU leaves the noise of a quiet cluster."""
    law = known.by_nodes.get("cpu")
    quiet = known.free[0].baseline_cores if known.free else None
    if law is None or quiet is None or not quiet.error:
        return None
    return reaches([law], NOISE * quiet.error * BATCHES**0.5)


def load_test(known: Laws, found: Sequence[Point], nodes: float) -> LoadTest:
    """Return the load test that stands for a cluster of so many nodes."""
    largest = found[-1]
    per_node = largest.objects / largest.nodes if largest.objects else None
    return LoadTest(
        nodes=ceil(nodes),
        requests_per_s=known.by_nodes["requests"].at(nodes).value,
        objects=ceil(per_node * nodes) if per_node else None,
        seats=_value(known, "seats", nodes),
        growth_cores=_value(known, "cpu", nodes),
    )


def _predicted(known: Laws, limits: Sequence[Limit], nodes: int) -> dict[str, Any]:
    at = {
        name: known.by_nodes[name].at(nodes)
        for name in ("requests", "seats", "executing", "cpu")
        if name in known.by_nodes
    }
    verdicts = [one for limit in limits if (one := _verdict(known, limit, nodes))]
    met = [verdict for verdict, _ in verdicts]
    saturated = True if True in met else None if None in met or not met else False
    return {
        "nodes": nodes,
        **{name: asdict(value) for name, value in at.items()},
        "saturated": saturated,
        "sure": any(sure for verdict, sure in verdicts if verdict is saturated)
        if saturated
        else bool(verdicts) and all(sure for _, sure in verdicts),
    }


def _verdict(known: Laws, limit: Limit, nodes: int) -> tuple[bool | None, bool] | None:
    curves = _curves(known, limit.measure)
    if not curves:
        return None
    value, low, high = (
        sum(getattr(curve.at(nodes), part) for curve in curves) for part in ("value", "low", "high")
    )
    measured = limit.measure not in known.by_theory
    if value >= limit.most:
        return True, measured and low >= limit.most
    if value < limit.least:
        return False, measured and high < limit.least
    return None, False


def _curves(known: Laws, measure: str) -> list[PowerLaw]:
    """Return the laws that add up to what a limit bounds: cores are used without the cause, too."""
    if measure not in known.by_nodes:
        return []
    names = (measure, "baseline_cpu") if measure == "cpu" else (measure,)
    return [known.by_nodes[name] for name in names if name in known.by_nodes]


def _value(known: Laws, measure: str, nodes: float) -> float | None:
    law = known.by_nodes.get(measure)
    return law.at(nodes).value if law else None
