"""Whether API Priority and Fairness was on, where everybody fell, and what would have helped."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from kubepostmortem.errors import MissingEvidence, UsageError
from kubepostmortem.questions.coverage import Coverage, coverage
from kubepostmortem.questions.flow_control import (
    callers,
    counted,
    fences,
    levels,
    placed,
    policies,
    trust,
)
from kubepostmortem.questions.flow_control import what_if as tries
from kubepostmortem.questions.flow_control.crowding import Crowding, crowding
from kubepostmortem.questions.flow_control.placed import Placed
from kubepostmortem.questions.flow_control.what_if import WhatIf
from kubepostmortem.questions.question import Answer, Inquiry, Missing, Table
from kubepostmortem.questions.replays import replay
from kubepostmortem.simulation.disagreement import disagreements
from kubepostmortem.simulation.fencing import TriedFence
from kubepostmortem.simulation.placement import placements
from kubepostmortem.simulation.replaying import Replayable

id = "priority-and-fairness"
text = {
    "en": (
        "Was API Priority and Fairness on and how configured, where did the culprit and its "
        "victims fall, and would the defaults or a level of its own have kept them apart?"
    ),
    "zh": (
        "API 优先级与公平性是否启用、如何配置，肇事者与受害者落入哪个优先级，"
        "默认配置或专用优先级能否保护其他请求？"
    ),
}
needs = ("requests", "incident")


@dataclass(frozen=True)
class Facts:
    """What is known of flow control in a cluster; fence: None, and why, without a culprit."""

    one: Replayable
    placed: Placed
    fared: pl.DataFrame
    levels: pl.DataFrame
    counted: pl.DataFrame
    disagreements: pl.DataFrame
    tried: list[WhatIf]
    fence: TriedFence | None
    no_fence: str
    crowding: Crowding | None

    @property
    def measured(self) -> bool:
        """Whether metrics tell what flow control did."""
        return not (self.levels.is_empty() and self.counted.is_empty())


def answer(inquiry: Inquiry) -> Answer:
    """Tell what was in force, where requests fell, who was refused, and what would have helped."""
    facts = _facts(inquiry)
    cluster, known = facts.one.cluster, facts.one.known
    seen = coverage(inquiry)
    figures = [
        tries.figure(facts.tried),
        levels.figure(inquiry, cluster, facts.levels) if known.apf else None,
        counted.figure(facts.counted),
    ]
    return Answer(
        question=id,
        status="answered",
        confidence=seen.weaken(trust.confidence(known, facts.one, facts.measured)),
        headline=_headline(facts),
        evidence=_evidence(facts, seen),
        caveats=_caveats(inquiry, facts, seen),
        missing=[*_no_culprit(facts), *trust.missing(inquiry, id, facts.measured), *seen.missing],
        sql=inquiry.statements,
        figures=[figure for figure in figures if figure is not None],
        tables=_tables(facts),
    )


def _facts(inquiry: Inquiry) -> Facts:
    try:
        one = replay(inquiry)
    except UsageError as refused:
        raise MissingEvidence("apiserver_config", f"cannot replay it: {refused}") from refused
    cluster, known = one.cluster, one.known
    fence, no_fence = fences.a_fence(inquiry, cluster)
    tried = tries.what_if(inquiry, cluster, policies.wishes(known))
    found = placed.placed(placements(inquiry, known, cluster), one)
    return Facts(
        one=one,
        placed=found,
        fared=callers.by_group(callers.fared(inquiry, one)),
        levels=levels.levels(inquiry, cluster),
        counted=counted.counted(inquiry, cluster),
        disagreements=disagreements(inquiry, known, cluster),
        tried=[*tried, *([fences.tried(fence)] if fence else [])],
        fence=fence,
        no_fence=no_fence,
        crowding=crowding(one, found),
    )


def _headline(facts: Facts) -> str:
    fell = placed.where_it_fell(facts.placed, facts.one.known.apf)
    hurt = callers.whom_it_hurt(facts.fared, facts.placed.culprit or "many clients")
    return " ".join([_in_force(facts, fell), hurt, policies.verdict(facts.tried)])


def _in_force(facts: Facts, fell: str) -> str:
    known = facts.one.known
    objects = placed.objects_told(known)
    if not known.apf:
        would = f" With {objects}, {fell}." if fell else ""
        return f"API Priority and Fairness was off, so in-flight limits told nobody apart.{would}"
    held = f": {fell}" if fell else ""
    return f"API Priority and Fairness was on, with {objects}{held}."


def _evidence(facts: Facts, seen: Coverage) -> dict[str, Any]:
    known, fit = facts.one.known, facts.one.models.fit
    return {
        "cluster": facts.one.cluster,
        "coverage": seen.share,
        "apf": known.apf,
        "minor": known.minor,
        "settings": [asdict(setting) for setting in known.settings],
        "conflicts": list(known.conflicts),
        "culprit": facts.placed.own,
        "placements": facts.placed.rows.to_dicts(),
        "levels": facts.levels.to_dicts(),
        "refused_by_metrics": counted.reasons(facts.counted),
        "refusals": facts.counted.to_dicts(),
        "crowding": facts.crowding.facts if facts.crowding else None,
        "groups": facts.fared.to_dicts(),
        "disagreements": facts.disagreements.to_dicts(),
        "simulations": [one.facts for one in facts.tried],
        "fit": asdict(fit) | {"holds": fit.holds},
        "fence": fences.facts(facts.fence) if facts.fence else None,
    }


def _caveats(inquiry: Inquiry, facts: Facts, seen: Coverage) -> list[str]:
    unlike = [row["says"] for row in facts.disagreements.to_dicts() if row["says"]]
    said = policies.left_out(facts.one.known)
    if not facts.one.known.apf:
        unlike += counted.unlike_the_log(facts.counted, int(facts.fared["refused"].sum()))
    if not facts.measured:
        said.append("Without metrics nothing tells for which reason requests were refused.")
    if facts.crowding and facts.crowding.fills:
        said.append(facts.crowding.says)
    if facts.fence and not facts.fence.spares:
        said.append("No fence that was tried keeps 99% of every other group: see its verdict.")
    return [*said, *tries.too_few(facts.tried), *unlike, *trust.caveats(inquiry, facts.one, seen)]


def _no_culprit(facts: Facts) -> list[Missing]:
    if facts.fence:
        return []
    return [Missing("a culprit to give a level of its own", facts.no_fence)]


def _tables(facts: Facts) -> list[Table]:
    known = facts.one.known
    found = [
        placed.table(facts.placed, known.apf),
        callers.groups_table(facts.fared),
        levels.table(facts.levels),
        tries.table(facts.tried),
        placed.settings_table(known, facts.placed),
        *(fences.tables(facts.fence) if facts.fence else []),
    ]
    return [table for table in found if not table.rows.is_empty()]
