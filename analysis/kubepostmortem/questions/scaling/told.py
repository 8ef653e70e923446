"""How cost scales in words: the headline, how sure it is, and what would tell more."""

from __future__ import annotations

from collections.abc import Sequence

from kubepostmortem.questions.cause import Cause
from kubepostmortem.questions.coverage import Coverage
from kubepostmortem.questions.question import Confidence, Missing
from kubepostmortem.questions.scaling.laws import CLOCK, CLUSTERS, WAVES, Laws
from kubepostmortem.questions.scaling.limits import Limit
from kubepostmortem.questions.scaling.names import about, named
from kubepostmortem.questions.scaling.points import Point
from kubepostmortem.questions.scaling.power_law import Estimate, PowerLaw
from kubepostmortem.questions.scaling.sizes import Break
from kubepostmortem.questions.words import listed

COST = {  # what a cost is called in a sentence, the first that is measured is told
    "cpu": "the CPU that they add to the API servers",
    "seats": "the seats that they hold",
    "demand": "the API server time that they take in quiet times",
}
NARROW = 0.5  # half width of the interval of an exponent that is worth an extrapolation
COLLECT = "kubepostmortem collect --question cost-scaling"
ANOTHER = "kubepostmortem ingest LOGS METRICS -d DATABASE --cluster NAME"


def headline(
    top: Cause, known: Laws, met: Sequence[Break], least: Estimate | None, found: Sequence[Point]
) -> str:
    """Say how it grows, where it breaks, and how large a test would have shown it."""
    return " ".join(
        filter(None, [_grows(top, known), _breaks(met, found), _shows(least, met, found)])
    )


def _grows(top: Cause, known: Laws) -> str:
    requests = known.by_nodes["requests"]
    in_theory = f"by theory their cost grows as nodes^{known.expected['costs']:.1f}"
    if known.measured_by == WAVES:
        return (
            f"Along its rollout, requests of {top.name} grow as clients^{_power(requests)}; "
            f"{in_theory}."
        )
    if known.measured_by == CLOCK:
        return f"Clients of {top.name} ask by the clock, so requests grow as nodes^1; {in_theory}."
    measured = [name for name in COST if name in known.by_nodes and name not in known.by_theory]
    cost = (
        f"and {COST[measured[0]]} as nodes^{_power(known.by_nodes[measured[0]])}"
        if measured
        else in_theory
    )
    return f"Requests of {top.name} grow as nodes^{_power(requests)}, {cost}."


def _breaks(met: Sequence[Break], found: Sequence[Point]) -> str:
    held = _unexplained(met, found)
    if held:
        return f"It breaks at {held.nodes:,} nodes or fewer: {held.cluster} was held back."
    if not met:
        return ""
    first = met[0]
    until = f" to {about(first.last)}" if first.last and first.last > 1.05 * first.first else ""
    return f"At about {about(first.first)}{until} nodes it uses up {first.limit.name}."


def _unexplained(met: Sequence[Break], found: Sequence[Point]) -> Point | None:
    """Return the smallest cluster that was held back though no law tells why."""
    held = next((one for one in found if one.held_back), None)
    return held if held and (not met or held.nodes < met[0].first) else None


def _shows(least: Estimate | None, met: Sequence[Break], found: Sequence[Point]) -> str:
    if least is None or not met or _unexplained(met, found):
        return ""
    small = [named(one) for one in found if one.nodes < 0.9 * least.value]
    a = f"{listed(small, 3)} could not show it: a" if small else "A"
    return (
        f"{a} test cluster of about {about(least.value)} nodes uses a tenth of {met[0].limit.name}."
    )


def confidence(known: Laws, met: Sequence[Break]) -> Confidence:
    """High needs three clusters that tell costs; medium, costs that two tell with a limit met."""
    told = [name for name in ("cpu", "seats") if name in known.by_nodes]
    measured = [known.by_nodes[name] for name in told if name not in known.by_theory]
    narrow = [law for law in measured if law.high - law.low <= 2 * NARROW]
    if known.measured_by != CLUSTERS or not narrow or not met:
        return "low"
    return "high" if all(law.points >= 3 for law in narrow) else "medium"


def missing(known: Laws, limits: Sequence[Limit], found: Sequence[Point]) -> list[Missing]:
    """Name what would tell more: further sizes, processor time, objects, cores."""
    wanted = [
        (len(known.free) >= 3, Missing("clusters of more sizes, not overloaded", ANOTHER)),
        (any(one.cores for one in found), Missing("process_cpu_seconds_total", COLLECT)),
        (all(one.objects for one in found), Missing("apiserver_resource_objects", COLLECT)),
        (
            any(one.known_from == "metrics" for one in limits),
            Missing("go_sched_gomaxprocs_threads of the API servers", COLLECT),
        ),
    ]
    return [lacking for there, lacking in wanted if not there]


def lacking(top: Cause, found: Sequence[Point], seen: Coverage) -> tuple[str, list[Missing]]:
    """Say why there is no law at all, and what would give one."""
    if not found:
        why = f"the number of nodes of the clusters that {top.name} called is not known"
        return why, [Missing("nodes", "kubectl get nodes -o json"), *seen.missing]
    sizes = listed([named(one) for one in found], 3)
    why = (
        f"{top.name} is seen in {sizes} alone, and there its clients did not come in waves that "
        "show how load follows their number"
    )
    return why, [
        Missing("a cluster of another size, or a rollout in waves", ANOTHER),
        *seen.missing,
    ]


def _power(law: PowerLaw) -> str:
    return f"{law.exponent:.2f} ({law.low:.2f} to {law.high:.2f})"
