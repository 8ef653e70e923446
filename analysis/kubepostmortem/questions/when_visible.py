"""Control-plane monitoring: which alert would have fired when, and what it could have saved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kubepostmortem.alerts.replaying import INTERVAL_S
from kubepostmortem.errors import MissingEvidence
from kubepostmortem.incident import iso
from kubepostmortem.questions.coverage import Coverage, coverage
from kubepostmortem.questions.question import Answer, Confidence, Inquiry, Missing
from kubepostmortem.questions.visibility.judging import Judged
from kubepostmortem.questions.visibility.seen import Seen, clusters
from kubepostmortem.questions.visibility.told import earliest, figures, headline, tables
from kubepostmortem.questions.words import listed

id = "when-visible"
text = {
    "en": (
        "Control-plane monitoring: which alert would have fired when, how long before users felt "
        "it, and what could still have been stopped?"
    ),
    "zh": "控制面监控：哪条告警会在何时触发，比用户感受到影响早多久，还能阻止什么？",
}
needs = ("incident",)

COLLECT = "kubepostmortem collect --question when-visible"
EVALUATED = (
    f"Rules are evaluated every {INTERVAL_S} s as Prometheus 2 does; your own thresholds, labels "
    "and evaluation times can differ. Recorded series are calculated at each evaluation."
)
NO_SERIES = (
    "An alert without series can never fire on this evidence: either the export left its metrics "
    "out, or your Prometheus has none either."
)


def answer(inquiry: Inquiry) -> Answer:
    """Replay the standard alert rules over the metrics, and early ones over the audit log."""
    if not inquiry.has("metric_samples") and not inquiry.has("requests"):
        raise MissingEvidence("metric_samples", COLLECT)
    seen = clusters(inquiry)
    rules = [one for cluster in seen for one in cluster.rules]
    known = inquiry.has("metric_samples")
    reach = coverage(inquiry)
    return Answer(
        question=id,
        status="answered" if known else "open",
        confidence=reach.weaken(_confidence(rules)) if known else "none",
        headline=("" if known else "Open for want of metrics. ") + headline(seen),
        evidence=_evidence(seen, reach),
        caveats=_caveats(seen, rules, reach),
        missing=[*reach.missing, *_missing(rules)],
        sql=inquiry.statements,
        figures=figures(seen),
        tables=tables(seen),
    )


def _confidence(rules: Sequence[Judged]) -> Confidence:
    """Tell from the part of the standard rules that can be replayed."""
    standard = [one for one in rules if one.replayed.rule.source.standard]
    able = sum(one.replayed.testable for one in standard) / max(len(standard), 1)
    return "high" if able >= 0.5 else "medium" if able >= 0.2 else "low"


def _evidence(seen: Sequence[Seen], reach: Coverage) -> dict[str, Any]:
    first = earliest([one for cluster in seen for one in cluster.rules])
    return {
        "coverage": reach.share,
        "evaluation_interval_s": INTERVAL_S,
        "first": first.facts if first else None,
        "impact": {one.cluster: one.impact.facts if one.impact else None for one in seen},
        "waves": [
            {"cluster": one.cluster, "began_at": iso(one.began_at), "clients": one.clients}
            for cluster in seen
            for one in cluster.waves
        ],
        "rules": [one.facts for cluster in seen for one in cluster.rules],
        "alerts": [
            {
                "cluster": cluster.cluster,
                "rule": one.replayed.rule.title,
                "state": spell.state,
                "labels": dict(sorted(spell.labels.items())),
                "began_at": iso(spell.began_at),
                "ended_at": spell.ended_at and iso(spell.ended_at),
            }
            for cluster in seen
            for one in cluster.rules
            for spell in one.replayed.spells
        ],
    }


def _caveats(seen: Sequence[Seen], rules: Sequence[Judged], reach: Coverage) -> list[str]:
    said = [_impacts(seen), EVALUATED]
    if any(one.status == "no series" for one in rules):
        said.append(NO_SERIES)
    short = [one.replayed.rule.title for one in rules if one.replayed.short]
    if short:
        said.append(
            "Needs more history than the export has, and would have noticed later with it: "
            f"{listed(list(dict.fromkeys(short)))}."
        )
    muted = [one.replayed.rule.title for one in rules if one.replayed.unmuted]
    if muted:
        said.append(
            f"Refused requests (429) enlarge what {listed(list(dict.fromkeys(muted)))} divides by: "
            "without them they would have spoken earlier."
        )
    fitted = [text for one in rules for text in one.replayed.said]
    if fitted:
        said.append(f"Rules were fitted to the export: {listed(list(dict.fromkeys(fitted)))}.")
    return [*said, *reach.caveats]


def _impacts(seen: Sequence[Seen]) -> str:
    said = [
        f"{one.impact.says} from {iso(one.impact.began_at)} on ({one.cluster})"
        if one.impact
        else f"no sustained harm to other clients was seen in {one.cluster}"
        for one in seen
    ]
    return f"Taken for the time at which users felt it: {listed(said)}."


def _missing(rules: Sequence[Judged]) -> list[Missing]:
    """Name metrics without which standard rules cannot be replayed, most needed ones first."""
    needed: dict[str, int] = {}
    for one in rules:
        if one.replayed.rule.source.standard and not one.replayed.testable:
            for metric in one.replayed.absent:
                needed[metric] = needed.get(metric, 0) + 1
    names = sorted(needed, key=lambda name: (-needed[name], name))
    return [Missing(f"metrics of alert rules: {listed(names, 5)}", COLLECT)] if names else []
