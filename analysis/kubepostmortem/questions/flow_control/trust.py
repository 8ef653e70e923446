"""How far to trust answers that replay a load: confidence, caveats, and what would help."""

from __future__ import annotations

from collections.abc import Sequence

from kubepostmortem.questions.coverage import Coverage
from kubepostmortem.questions.question import Confidence, Inquiry, Missing
from kubepostmortem.simulation.effective import Effective
from kubepostmortem.simulation.replaying import Replayable
from kubepostmortem.simulation.simulation import how_close

CLUSTERS = "select count(distinct cluster) as clusters from incident"
OBJECTS = "kubectl get flowschemas,prioritylevelconfigurations -o json"
FIRM = {"objects", "flags"}  # origins that say what was set, not what follows from it


def confidence(known: Effective, one: Replayable | None, measured: bool) -> Confidence:
    """High where metrics measured it, objects or flags tell what was set, and the fit holds."""
    told = any(setting.origin in FIRM for setting in known.settings)
    fits = one is not None and one.models.fit.holds
    points = sum((told, measured, fits))
    return "high" if points == 3 else "medium" if points == 2 else "low"


def caveats(inquiry: Inquiry, one: Replayable, seen: Coverage) -> list[str]:
    """Say of which cluster it is, how close the replay is, what it assumes, and what is unseen."""
    fit = f"Simulated, not measured. {how_close(one.models.fit)}"
    return [*of_one_cluster(inquiry, one.cluster), fit, *one.assumptions, *seen.caveats]


def of_one_cluster(inquiry: Inquiry, cluster: str) -> list[str]:
    """Name the cluster that the answer is about, where there are several."""
    clusters = int(inquiry.row("clusters of the incident", CLUSTERS)["clusters"])
    if clusters < 2:
        return []
    return [
        f"This is about {cluster}, where the cause asks most, one of {clusters} clusters; "
        "`kubepostmortem simulate --cluster` replays the others."
    ]


def missing(inquiry: Inquiry, question: str, measured: bool) -> Sequence[Missing]:
    """Name the evidence that is lacking: metrics, objects, flags."""
    collect = f"kubepostmortem collect --question {question}"
    metrics = "metrics apiserver_flowcontrol_* and apiserver_current_inflight_requests"
    wanted = [
        (measured, Missing(metrics, collect)),
        (inquiry.has("flow_schemas"), Missing("flow control objects", OBJECTS)),
        (inquiry.has("apiserver_config"), Missing("flags of the API servers", collect)),
    ]
    return [lacking for there, lacking in wanted if not there]
