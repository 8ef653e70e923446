"""Signs for and against a release: onset, own calls, waves, and dose-response."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kubepostmortem.questions.suspects.lookups import Known
from kubepostmortem.questions.words import listed, number, percent, span

SLACK_S = 5.0  # clocks of pipelines and API servers differ a little
SOON_S = 600.0  # what grew later than this has many other reasons
GROWN = 0.02  # of the total growth of demand: below it a release's own calls did not grow
WEAK = 0.2  # correlation over nodes: where it is surely less, nothing follows the rollout
FEW = 3  # nodes, of fewer nothing can be told
JUMP = 0.5  # growth of a cluster's demand over its baseline


@dataclass(frozen=True)
class Sign:
    """One reason; supports: True for the release as the cause, False against it, None: neither."""

    kind: str
    supports: bool | None
    says: str


def signs(row: dict[str, Any], lag_s: float | None, reached: set[str], known: Known) -> list[Sign]:
    """Return what speaks for and against a release.

    row: a release with the share of its own calls; lag_s: seconds from it to the growth in its
    cluster; reached: clusters that this service was released to.
    """
    client = f"{row['namespace']}/{row['service']}"
    is_caller = client in known.callers
    found = [
        _onset(lag_s),
        _own_calls(row),
        _component(is_caller, row),
        _waves(known) if is_caller else None,
        _nodes(known.doses.get((row["cluster"], client))),
        _clusters(reached, known) if is_caller else None,
    ]
    return [sign for sign in found if sign]


def _onset(lag_s: float | None) -> Sign | None:
    if lag_s is None:
        return None
    if lag_s < -SLACK_S:
        return Sign("onset", False, f"applied {span(-lag_s)} after the growth began")
    soon = True if lag_s <= SOON_S else None
    return Sign("onset", soon, f"applied {span(max(lag_s, 0.0))} before the growth began")


def _own_calls(row: dict[str, Any]) -> Sign:
    if row["growth_rps"] is None:
        return Sign("own calls", None, "makes no API calls of its own that the log shows")
    share = float(row["share"] or 0)
    return Sign("own calls", share >= GROWN, f"its own calls are {part(share)} of the growth")


def part(share: float) -> str:
    """Write a part of the growth; what is hardly any is not written as a digit of noise."""
    if share <= 0:
        return "no part"
    return percent(share) if share >= 0.001 else "less than 0.1%"


def _component(is_caller: bool, row: dict[str, Any]) -> Sign | None:
    if is_caller:
        return Sign("component", True, "its workload or service account makes the calls that grew")
    if row["growth_rps"] is None:
        return None
    return Sign("component", False, "its calls are not those that caused the growth")


def _waves(known: Known) -> Sign | None:
    law = known.law
    if law is None:
        return None
    says = (
        f"load grows as its clients to the power of {law.exponent:.2f} "
        f"({law.low:.2f} to {law.high:.2f})"
    )
    if len(known.waves) > 1:
        clients = listed([str(wave.clients) for wave in known.waves], 6)
        says = f"{says}, which came in waves of {clients}"
    return Sign("waves", law.low > 0 or None, says)


def _nodes(dose: dict[str, Any] | None) -> Sign | None:
    """Judge by nodes; few nodes, or all of them at once, tell nothing."""
    if dose is None or dose["nodes_reached"] < FEW or dose["correlation"] is None:
        return None
    r = float(dose["correlation"])
    low, high = interval(r, dose["nodes"])
    says = (
        f"of {dose['nodes']} nodes it reached {dose['nodes_reached']}; how long it ran on a node "
        f"and the growth of requests from there go together with correlation "
        f"{r:.2f} ({low:.2f} to {high:.2f})"
    )
    if dose["other_growth_rps"] is not None:
        says = (
            f"{says} (reached: {number(dose['reached_growth_rps'])} more requests per second and "
            f"node, others: {number(dose['other_growth_rps'])})"
        )
    return Sign("nodes", True if low > 0 else False if high < WEAK else None, says)


def interval(r: float, pairs: int) -> tuple[float, float]:
    """Return the 95 % interval of a correlation of independent pairs, after Fisher (1921)."""
    if pairs <= FEW:
        return -1.0, 1.0
    z = math.atanh(min(max(r, -0.999999), 0.999999))
    margin = 1.96 / math.sqrt(pairs - 3)
    return math.tanh(z - margin), math.tanh(z + margin)


def _clusters(reached: set[str], known: Known) -> Sign | None:
    if len(known.clusters) < 2:
        return None
    grew = {name for name, row in known.clusters.items() if _jumped(row)}
    calm = set(known.clusters) - grew
    says = f"it reached {_names(reached)}; demand grew in {_names(grew)}"
    if not calm and reached >= grew:
        return Sign("clusters", None, f"{says}: no cluster was spared to compare with")
    return Sign("clusters", grew == reached, says)


def _jumped(row: dict[str, Any]) -> bool:
    return float(row["growth_demand"] or 0) > JUMP * float(row["baseline_demand"] or 0)


def _names(names: set[str]) -> str:
    return listed(sorted(names), 6) or "none"


def weight(found: Sequence[Sign]) -> int:
    """Count signs for a release less signs against it."""
    return sum((sign.supports is True) - (sign.supports is False) for sign in found)
