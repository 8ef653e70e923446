"""What recovery took: which attempts failed, when load fell and why, what was fastest."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from kubepostmortem.incident import iso
from kubepostmortem.questions.administrators.removal import Removal, removal
from kubepostmortem.questions.callers import workloads
from kubepostmortem.questions.cause import Cause
from kubepostmortem.questions.coverage import coverage
from kubepostmortem.questions.dependencies.fared import fared
from kubepostmortem.questions.growth import first_cause, nothing_grew
from kubepostmortem.questions.question import Answer, Confidence, Inquiry, Missing
from kubepostmortem.questions.recovering.actions import Action, actions, attempts, notes
from kubepostmortem.questions.recovering.bought import bought
from kubepostmortem.questions.recovering.curve import Curve, curves
from kubepostmortem.questions.recovering.hindsight import Known, faster
from kubepostmortem.questions.recovering.residual import residual
from kubepostmortem.questions.recovering.told import Story, figures, headline, tables
from kubepostmortem.questions.replays import cluster_of

id = "recovery"
text = {
    "en": (
        "What did recovery take: which attempts failed, when did load fall and why, and what would "
        "have been fastest?"
    ),
    "zh": "恢复花了什么：哪些尝试失败了，负载何时下降、为何下降，怎样才会最快？",
}
needs = ("requests", "incident")

UNSEEN = (
    "What went past the API server is not in its log: network blocks at a load balancer, larger "
    "machines, containers stopped on their nodes. Notes of people tell of them, where there are."
)
HINDSIGHT = (
    "Times saved take the recovery after an accepted removal to be as long as it was; nobody knew "
    "then what is known now."
)
AFTER = (
    "An effect is what followed an action; other changes at the same time may have a part in it."
)


def answer(inquiry: Inquiry) -> Answer:
    """Tell what was tried, what came of it, and what would have been faster."""
    top = first_cause(inquiry)
    load = curves(inquiry)
    if top is None or not load:
        return nothing_grew(id, inquiry)
    done = actions(inquiry, {one.workload for one in workloads(inquiry, top.calls)})
    story = _story(inquiry, top, load, attempts(done))
    seen, written = coverage(inquiry), notes(inquiry)
    return Answer(
        question=id,
        status="answered",
        confidence=seen.weaken(_confidence(story)),
        headline=headline(story),
        evidence=_evidence(story, load, done, seen.share) | {"notes": written},
        caveats=[UNSEEN, AFTER, *([HINDSIGHT] if story.faster else []), *seen.caveats],
        missing=seen.missing + _missing(story, written),
        sql=inquiry.statements,
        figures=figures(story),
        tables=tables(story),
    )


def _story(
    inquiry: Inquiry, top: Cause, load: dict[str, Curve], tried: tuple[Action, ...]
) -> Story:
    cluster = cluster_of(inquiry)
    curve = load.get(cluster) or next(iter(load.values()))
    removed = removal(inquiry)
    impact_at = _impact(inquiry, top, curve.cluster)
    over_at = curve.back_at() or curve.ends_at
    left = residual(inquiry, top, removed)
    return Story(
        cause=top.name,
        removed=removed,
        left=left,
        curve=curve,
        impact_at=impact_at,
        done=bought(tried, curve),
        faster=faster(inquiry, Known(top, removed, left, impact_at, over_at)),
    )


def _impact(inquiry: Inquiry, top: Cause, cluster: str) -> datetime | None:
    """When the first component besides the cause was harmed: left without answers, or slow."""
    harmed = [
        one.harmed_at
        for one in fared(inquiry, ())
        if one.cluster == cluster and one.component != top.component and one.harmed_at
    ]
    return min(harmed, default=None)


def _confidence(story: Story) -> Confidence:
    removed = story.removed
    if removed is None or not removed.tries:
        return "low"
    return "high" if story.back_at or (story.left and story.left.stalled) else "medium"


def _evidence(
    story: Story, load: dict[str, Curve], done: tuple[Action, ...], share: float | None
) -> dict[str, Any]:
    removed, back = story.removed, story.back_at
    accepted = removed.accepted_at if removed else None
    return {
        "coverage": share,
        "cluster": story.curve.cluster,
        "impact_at": iso(story.impact_at) if story.impact_at else None,
        "removal": removed.facts if removed else None,
        "residual": story.left.facts if story.left else None,
        "back_at": iso(back) if back else None,
        "seconds": {
            "impact_to_first_try": _between(story.impact_at, removed.first_at if removed else None),
            "first_try_to_accepted": removed.took_s if removed else None,
            "accepted_to_load_back": _between(accepted, back),
            "impact_to_load_back": _between(story.impact_at, back),
        },
        "load": [curve.facts for curve in load.values()],
        "attempts": [one.facts for one in story.done],
        "other_changes": [one.facts for one in done if one.aim in ("rollout", "other change")],
        "faster": [one.facts for one in story.faster],
    }


def _between(begins: datetime | None, ends: datetime | None) -> float | None:
    return (ends - begins).total_seconds() if begins and ends else None


def _missing(story: Story, written: list[dict[str, Any]]) -> list[Missing]:
    wanted = []
    if not _tried(story.removed):
        wanted.append(
            Missing(
                "writes of people and pipelines",
                "ingest audit logs of all API servers, until load was back",
            )
        )
    if story.back_at is None:
        wanted.append(Missing("the end of the overload", "ingest audit logs until load was back"))
    if not written:
        wanted.append(
            Missing(
                "what was done outside of the API server",
                "ingest the incident's timeline: notes, pages, chat export",
            )
        )
    return wanted


def _tried(removed: Removal | None) -> bool:
    return removed is not None and removed.tries > 0
