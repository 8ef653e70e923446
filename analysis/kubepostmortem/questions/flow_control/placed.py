"""Where the culprit and the others fell: flow schemas and priority levels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from kubepostmortem.flowcontrol.defaults import default_configuration
from kubepostmortem.questions.question import Table
from kubepostmortem.questions.words import listed
from kubepostmortem.simulation.effective import Effective
from kubepostmortem.simulation.replaying import Replayable

PROTECTED = {"kubelet": "kubelets", "coredns": "CoreDNS"}
SHOWN = 25  # rows of the table; the evidence holds all


@dataclass(frozen=True)
class Placed:
    """Placements of a cluster, and those of the culprit's component; empty: it is not known."""

    rows: pl.DataFrame
    culprit: str | None

    @property
    def own(self) -> list[dict[str, Any]]:
        """Where the culprit's component fell in the overload, most requests first."""
        if self.culprit is None:
            return []
        return self._asked().filter(pl.col("component") == self.culprit).to_dicts()

    def beside(self, level: str) -> list[str]:
        """Name the other components in a level, most requests first."""
        others = self._asked().filter(
            (pl.col("priority_level") == level) & (pl.col("component") != (self.culprit or ""))
        )
        return [str(name) for name in others["component"].unique(maintain_order=True)]

    def levels_of(self, component: str) -> list[str]:
        """Name the levels that a component fell into, most requests first."""
        own = self._asked().filter(pl.col("component") == component)
        return [str(name) for name in own["priority_level"].unique(maintain_order=True)]

    def used(self) -> set[str]:
        """Names of flow schemas and levels that requests of the overload fell into."""
        asked = self._asked()
        return {*asked["flow_schema"].to_list(), *asked["priority_level"].to_list()}

    def _asked(self) -> pl.DataFrame:
        return self.rows.filter(pl.col("requests_overload") > 0)


def placed(rows: pl.DataFrame, one: Replayable) -> Placed:
    """Tell the culprit's placements from the others."""
    return Placed(rows, one.suspect.component if one.suspect else None)


def where_it_fell(found: Placed, apf: bool) -> str:
    """Say in a clause where the culprit fell, and beside whom; empty without a culprit."""
    if not found.own:
        return ""
    first = found.own[0]
    to = f"{first['priority_level']} (FlowSchema {first['flow_schema']})"
    others = found.beside(first["priority_level"])
    shared = f"beside {listed(others, 3)}" if others else "which it had for itself"
    fell = "fell" if apf else "would have fallen"
    return f"{found.culprit} {fell} into {to}, {shared}{_apart(found, first['priority_level'])}"


def _apart(found: Placed, level: str) -> str:
    """Say in which other levels the nodes and DNS were."""
    told = [
        f"{name} in {listed(levels)}"
        for component, name in PROTECTED.items()
        if component != found.culprit
        and (levels := found.levels_of(component))
        and level not in levels
    ]
    return f", with {' and '.join(told)}" if told else ""


def objects_told(known: Effective) -> str:
    """Say whose objects were in force: the defaults of the release, or others."""
    default = default_configuration(known.minor)
    theirs = known.configuration
    same = (dict(default.priority_levels), default.flow_schemas) == (
        dict(theirs.priority_levels),
        theirs.flow_schemas,
    )
    release = f"Kubernetes 1.{known.minor}"
    if not any(setting.origin == "objects" for setting in known.settings):
        return f"the default objects of {release}, as none are in the evidence"
    return f"the default objects of {release}" if same else "objects that are not the defaults"


def table(found: Placed, apf: bool) -> Table:
    """Tabulate components by where they fell."""
    says = (
        "Where requests fell"
        if apf
        else "Where requests would have fallen: API Priority and Fairness was off"
    )
    shown = found.rows.head(SHOWN).rename({"share_refused": "refused_share"})
    return Table(says, shown)


def settings_table(known: Effective, found: Placed) -> Table:
    """Tabulate flags, and the objects that requests fell into, with where each is known from."""
    used = found.used()
    rows = [
        {"setting": one.name, "value": one.value, "known_from": one.origin, "detail": one.detail}
        for one in known.settings
        if not _is_object(one.name) or one.name.rpartition(" ")[2] in used
    ]
    return Table("What was in force, and how that is known", pl.DataFrame(rows))


def _is_object(name: str) -> bool:
    return name.startswith(("priority level ", "FlowSchema "))
