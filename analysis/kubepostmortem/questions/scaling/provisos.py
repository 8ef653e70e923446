"""What laws of cost rest on, and where the evidence speaks against them, in words."""

from __future__ import annotations

from collections.abc import Sequence

from kubepostmortem.questions.scaling.laws import CLUSTERS, Laws
from kubepostmortem.questions.scaling.limits import Limit
from kubepostmortem.questions.scaling.names import about, named
from kubepostmortem.questions.scaling.points import Point
from kubepostmortem.questions.scaling.sizes import Break
from kubepostmortem.questions.words import listed, number

ALIKE = 1.2  # objects per node of the clusters, the most to the least: alike


def caveats(
    known: Laws, limits: Sequence[Limit], met: Sequence[Break], found: Sequence[Point]
) -> list[str]:
    """Say what the laws rest on, and where the evidence speaks against them."""
    return [
        *_points(known, found),
        *(_held_back(one, known) for one in found if one.held_back),
        *_theory(known),
        *_objects(known, found),
        *_partly(found),
        *_contradicted(met, found),
        *_capacity([one for one in limits if one.measure in known.by_nodes]),
    ]


def _points(known: Laws, found: Sequence[Point]) -> list[str]:
    if known.measured_by != CLUSTERS:
        return [
            f"Only {listed([named(one) for one in found], 3)}: in one cluster the objects that "
            "each request reads stay the same, so its waves show how load follows clients, not how "
            "cost follows the size of the cluster."
        ]
    few = (
        " Two sizes fix an exponent whatever the law is: its interval comes from the scatter of "
        "each cluster's load in time, and says nothing about other clusters."
        if len(known.free) == 2
        else ""
    )
    return [
        f"Clusters are taken to be alike but for their size: {len(found)} clusters tell what is "
        f"asked, {len(known.free)} what it costs.{few}"
    ]


def _held_back(one: Point, known: Laws) -> str:
    costs = (
        "So what requests cost there is not used."
        if known.free
        else "Costs are those of its fastest answers, which are slower than in quiet times."
    )
    return (
        f"In {one.cluster} clients were held back: the log shows {number(one.recorded.value)} "
        f"requests per second, retries included, which is what refusals and queues let through; "
        f"answered at once, they would ask {number(one.pace.offered)}. {costs}"
    )


def _theory(known: Laws) -> list[str]:
    if not known.by_theory:
        return []
    names = listed(sorted(known.by_theory), 6)
    return [
        f"The exponent of {names} is not measured but expected: one more client on each node, and "
        "in each answer the objects of one more node; 0.5 either way is allowed for."
    ]


def _objects(known: Laws, found: Sequence[Point]) -> list[str]:
    ratios = [one.objects / one.nodes for one in found if one.objects]
    if len(ratios) < 2 or max(ratios) > ALIKE * min(ratios) or known.measured_by != CLUSTERS:
        return []
    return [
        "All clusters store about as many objects per node, so that growth with nodes and growth "
        "with objects cannot be told apart."
    ]


def _partly(found: Sequence[Point]) -> list[str]:
    partly = [one for one in found if 0 < one.covered < 0.9 * one.nodes]
    return [
        f"In {one.cluster} it called from {one.covered} of {one.nodes} nodes only."
        for one in partly
    ]


def _contradicted(met: Sequence[Break], found: Sequence[Point]) -> list[str]:
    if not met:
        return []
    early = [one for one in found if one.held_back and one.nodes < met[0].first]
    beyond = [one for one in found if not one.held_back and met[0].high and one.nodes > met[0].high]
    return [
        *(
            f"{named(one)} was held back already, below the {about(met[0].first)} nodes that the "
            "law tells: another limit was met, or what requests cost is not known well."
            for one in early
        ),
        *(f"{named(one)} was not held back, though the law says so." for one in beyond),
    ]


def _capacity(limits: Sequence[Limit]) -> list[str]:
    said = []
    if any(one.measure in ("seats", "executing") for one in limits):
        said.append(
            "Seats are held as long as requests execute, which grows where cores are short: the "
            "law of a quiet cluster tells too few. Other callers in the same level leave fewer."
        )
    if any(one.known_from == "plateau" for one in limits):
        said.append(
            "How many cores the API servers had is taken from what they used where clients were "
            "held back: flow control, not the cores, may have been what held them back."
        )
    return said
