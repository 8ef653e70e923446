"""Whether the version of Kubernetes was too old or heavily modified, and what it protects by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import polars as pl

from kubepostmortem.incident import iso
from kubepostmortem.questions.coverage import coverage
from kubepostmortem.questions.question import Answer, Confidence, Inquiry, Missing
from kubepostmortem.questions.versions.cluster import Cluster, clusters
from kubepostmortem.questions.versions.programs import BUILD_INFO
from kubepostmortem.questions.versions.shown import clients, figures, tables
from kubepostmortem.questions.versions.skew import SERVER
from kubepostmortem.questions.versions.told import caveats, headline
from kubepostmortem.releases import parse_version

id = "which-version"
text = {
    "en": (
        "Is the Kubernetes version too old, or heavily modified: which versions ran, and which "
        "protective features did they have, lack, or have switched off?"
    ),
    "zh": (
        "Kubernetes 版本是否太旧或被大幅修改：运行的是哪些版本，哪些保护特性具备、缺失或被关闭？"
    ),
}
needs = ("requests", "incident")

SURE: dict[str, Confidence] = {"API servers": "high", "control plane": "medium", "kubelets": "low"}
WORST: Sequence[Confidence] = ("low", "medium", "high")
MOST_TAGS = 3


def answer(inquiry: Inquiry) -> Answer:
    """Tell versions, builds, skew and support, and judge the features of the API servers."""
    found, called = clusters(inquiry), clients(inquiry)
    seen = coverage(inquiry)
    known = [cluster for cluster in found if cluster.servers]
    if not known:
        return _unknown(inquiry, found, called)
    return Answer(
        question=id,
        status="answered",
        confidence=seen.weaken(_confidence(known)),
        headline=headline(known),
        evidence={
            "coverage": seen.share,
            "clusters": [cluster.facts for cluster in found],
            "clients": _plain(called),
        },
        caveats=[*caveats(known), *seen.caveats],
        missing=_missing(found),
        sql=inquiry.statements,
        figures=figures(known),
        tables=tables(known, called),
    )


def _unknown(inquiry: Inquiry, found: Sequence[Cluster], called: pl.DataFrame) -> Answer:
    return Answer(
        question=id,
        status="open",
        confidence="none",
        headline="Open: nothing in the evidence names a version of an API server or a kubelet.",
        evidence={"clients": _plain(called)},
        missing=_missing(found),
        sql=inquiry.statements,
    )


def _confidence(known: Sequence[Cluster]) -> Confidence:
    sure = {SURE[cluster.servers.known_from] for cluster in known if cluster.servers}
    return next(confidence for confidence in WORST if confidence in sure)


def _missing(found: Sequence[Cluster]) -> list[Missing]:
    wanted = []
    if not all(_names(cluster, BUILD_INFO) for cluster in found):
        wanted.append(Missing(BUILD_INFO, "export it from Prometheus with query_range"))
    if not all(_names(cluster, "node object") for cluster in found):
        wanted.append(Missing("versions of all nodes", "kubectl get nodes -o json"))
    if not all(cluster.switches.known for cluster in found):
        wanted.append(
            Missing(
                "flags of the API servers",
                "kubectl -n kube-system get pods -l component=kube-apiserver -o json, or export "
                "kubernetes_feature_enabled from Prometheus",
            )
        )
    return wanted + [_commit(tag, built) for tag, built in _releases(found)]


def _commit(tag: str, built: str) -> Missing:
    return Missing(
        f"the commit of the release {tag}, to compare with {built}",
        f"git ls-remote https://github.com/kubernetes/kubernetes 'refs/tags/{tag}*'",
    )


def _releases(found: Sequence[Cluster]) -> list[tuple[str, str]]:
    """Releases that API servers say they are, as tags, and the commit that each names."""
    named: dict[str, str] = {}
    for program in (program for cluster in found for program in cluster.ran):
        build = parse_version(program.version)
        if program.component == SERVER and program.commits and build and build.as_released:
            named.setdefault(f"v1.{build.minor}.{build.patch}", program.commits[0])
    return list(named.items())[:MOST_TAGS]


def _names(cluster: Cluster, source: str) -> bool:
    return any(source in program.named_by for program in cluster.ran)


def _plain(called: pl.DataFrame) -> list[dict[str, Any]]:
    return [
        {key: iso(value) if isinstance(value, datetime) else value for key, value in row.items()}
        for row in called.iter_rows(named=True)
    ]
