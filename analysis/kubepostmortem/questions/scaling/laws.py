"""The laws of one cause: how what it asks and what that costs grow with the nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from kubepostmortem.attribution.fan_out import FanOut
from kubepostmortem.questions.scaling.points import Point, of
from kubepostmortem.questions.scaling.power_law import Load, PowerLaw, anchored, power_law

CLUSTERS, WAVES, CLOCK, THEORY = "clusters", "waves", "clock", "theory"
COUNTED = ("requests", "objects")  # what clients ask: known where answers come late, too
COSTS = ("demand", "seats", "executing", "request_seconds", "cpu", "baseline_cpu")
LEAST_EVIDENCE = 0.5  # part of the requests that list everything, to expect cost from objects
MARGIN = 0.5  # of an exponent by theory: fixed costs of requests make it less, congestion more


@dataclass(frozen=True)
class Laws:
    """Laws by measure, against nodes and against stored objects, and what theory expects.

    measured_by: clusters, or waves of one (the clock where its clients were held back); by_theory:
    measures whose exponent is not measured; expected: exponents by theory, of requests (one client
    on each node) and of costs (that times the objects that each request reads); free: clusters
    whose clients were not held back, which alone tell costs.
    """

    measured_by: str
    by_nodes: Mapping[str, PowerLaw]
    by_objects: Mapping[str, PowerLaw]
    by_theory: frozenset[str]
    expected: Mapping[str, float]
    free: Sequence[Point]

    @property
    def facts(self) -> dict[str, Any]:
        """Plain data, for machines."""
        return {
            name: _facts(law) | {"known_by": THEORY if name in self.by_theory else self.measured_by}
            for name, law in self.by_nodes.items()
        }

    @property
    def facts_by_objects(self) -> dict[str, Any]:
        """Plain data of the laws against objects."""
        return {name: _facts(law) for name, law in self.by_objects.items()}


def laws(found: Sequence[Point], waves: FanOut | None, in_waves: bool) -> Laws | None:
    """Fit laws to clusters of different sizes, else go by the waves of one; None without either.

    in_waves: whether clients came in waves; where these were held back, so that waves tells
    nothing, clients that ask by the clock still ask as much as there are of them.
    """
    free = [one for one in found if not one.held_back]
    requests = power_law(of(found, "requests"))
    if requests:
        return _fitted(found, free, requests)
    if not found or not of(found[-1:], "requests"):
        return None
    if waves:
        margin = (waves.high - waves.low) / 2
        return _of_one(WAVES, found, free, waves.exponent, margin)
    return _of_one(CLOCK, found, free, 1.0, 0.0) if in_waves and found[-1].pace.period_s else None


def _fitted(found: Sequence[Point], free: Sequence[Point], requests: PowerLaw) -> Laws:
    objects = power_law(of(found, "objects"))
    fitted = {"requests": requests} | ({"objects": objects} if objects else {})
    costs = {name: law for name in COSTS if (law := power_law(of(free, name)))}
    per_request = objects.exponent - requests.exponent if objects else None
    expected = _expected(per_request, found)
    lacking = _by_theory(found, free, expected["costs"], costs)
    kept = dict.fromkeys(COUNTED, found) | dict.fromkeys(COSTS, free)
    by_objects = {
        name: law for name, those in kept.items() if (law := power_law(of(those, name, "objects")))
    }
    return Laws(CLUSTERS, fitted | costs | lacking, by_objects, frozenset(lacking), expected, free)


def _of_one(
    measured_by: str, found: Sequence[Point], free: Sequence[Point], exponent: float, margin: float
) -> Laws:
    requests = anchored(of(found[-1:], "requests")[0], exponent, margin)
    expected = _expected(None, found)
    lacking = _by_theory(found, free, expected["costs"], {})
    by_nodes = {"requests": requests} | lacking
    return Laws(measured_by, by_nodes, {}, frozenset(lacking), expected, free)


def _expected(per_request: float | None, found: Sequence[Point]) -> dict[str, float]:
    """Return the exponents that theory expects: a LIST of all costs as much as there are objects.

    per_request: how the objects that one request reads grow; None: not measured.
    """
    lists = found[-1].pace.lists >= LEAST_EVIDENCE
    by_shape = 1.0 if lists else 0.0
    return {"requests": 1.0, "costs": 1.0 + (by_shape if per_request is None else per_request)}


def _by_theory(
    found: Sequence[Point], free: Sequence[Point], exponent: float, known: Mapping[str, PowerLaw]
) -> dict[str, PowerLaw]:
    """Return laws of seats, requests executing and cores that clusters do not tell.

    They go through the largest cluster that was not held back; without any, through the smallest
    one at the cost of quiet times.
    """
    if free:
        told = {name: of(free, name)[-1:] for name in ("seats", "executing", "cpu")}
    else:
        quiet = found[0]
        told = {
            "seats": [_quiet(quiet, quiet.pace.quiet_seats)],
            "executing": [_quiet(quiet, quiet.pace.demand)],
        }
    return {
        name: anchored(loads[0], exponent, MARGIN)
        for name, loads in told.items()
        if name not in known and loads and loads[0].load > 0
    }


def _quiet(point: Point, held: float) -> Load:
    return Load(float(point.nodes), held * point.on_all_nodes, point.pace.demand_error)


def _facts(law: PowerLaw) -> dict[str, Any]:
    shown = ("exponent", "low", "high", "points", "r2")
    return {name: value for name, value in asdict(law).items() if name in shown}
