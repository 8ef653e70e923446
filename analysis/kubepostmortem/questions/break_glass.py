"""Whether break-glass was anything else than flow control, and how administrators fared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kubepostmortem.questions.administrators.attempts import Fared, fared, hang_ups
from kubepostmortem.questions.administrators.checklist import Facts, Item, checklist
from kubepostmortem.questions.administrators.identities import (
    KUBEADM_ADMINS,
    UNKNOWN,
    identities,
    probes,
)
from kubepostmortem.questions.administrators.overloads import Overload, health
from kubepostmortem.questions.administrators.processes import (
    connections,
    etcd,
    handshakes,
    memory,
    processor,
)
from kubepostmortem.questions.administrators.removal import removal
from kubepostmortem.questions.administrators.schema import admin_group, break_glass_manifest
from kubepostmortem.questions.administrators.seats import exempt, slower, wide_lists
from kubepostmortem.questions.administrators.told import figures, how_they_fared, tables, ways_in
from kubepostmortem.questions.coverage import Coverage, coverage
from kubepostmortem.questions.question import Answer, Confidence, Inquiry, Missing
from kubepostmortem.questions.words import listed
from kubepostmortem.simulation.effective import Effective, effective

id = "break-glass"
text = {
    "en": (
        "Is break-glass anything else than API Priority and Fairness: how did administrators "
        "fare, who was exempt, and what can it not save?"
    ),
    "zh": (
        "紧急通道是否只是 API 优先级与公平性：管理员的请求结果如何，谁被豁免，哪些过载它救不了？"
    ),
}
needs = ("requests", "incident")

CLUSTERS = "select distinct cluster from incident order by cluster"
FEW, MANY = 5, 20  # operations in the overload
UNSEEN = (
    "What never reached the API server is not in its audit log: refused connections, failed "
    "TLS handshakes, what a load balancer turned away. Administrators fared no better than this."
)
GAVE_UP = (
    "A client that gave up is logged as 500 or 504, or as answered where the answer was on its "
    "way: its own time-out also counts the time to connect, which no log holds."
)


def answer(inquiry: Inquiry) -> Answer:
    """Tell how administrators fared, who was exempt, and what no flow control saves."""
    if not inquiry.has("admin_requests"):
        return _nobody(inquiry)
    clusters = [row["cluster"] for row in inquiry.rows("clusters", CLUSTERS)]
    in_force = {cluster: effective(inquiry, cluster) for cluster in clusters}
    facts = Facts(
        in_force=in_force,
        administrators=identities(inquiry, in_force),
        groups=fared(inquiry, "overload"),
        overloads=_overloads(inquiry, in_force),
        removed=removal(inquiry),
    )
    seen = coverage(inquiry)
    items, tried = checklist(facts), probes(inquiry, in_force)
    return Answer(
        question=id,
        status="answered",
        confidence=seen.weaken(_confidence(facts.groups)),
        headline=f"{ways_in(facts)} {how_they_fared(facts.groups)}",
        evidence=_evidence(inquiry, facts, items, seen) | {"probes": tried},
        caveats=_caveats(facts, seen),
        missing=seen.missing + _missing(facts, inquiry),
        sql=inquiry.statements,
        figures=figures(inquiry, facts),
        tables=tables(facts, items, tried),
    )


def _nobody(inquiry: Inquiry) -> Answer:
    return Answer(
        question=id,
        status="open",
        confidence="none",
        headline="Open: no request of an administrator or of system:masters is in the audit log.",
        caveats=[UNSEEN],
        missing=[
            Missing("requests of people", "ingest audit logs of all API servers, reads included")
        ],
        sql=inquiry.statements,
    )


def _overloads(inquiry: Inquiry, in_force: Mapping[str, Effective]) -> list[Overload]:
    fitness = health(inquiry)
    return [
        slower(inquiry),
        processor(fitness),
        memory(fitness),
        handshakes(fitness),
        connections(fitness),
        etcd(fitness),
        wide_lists(inquiry, in_force),
        exempt(inquiry),
    ]


def _confidence(groups: Sequence[Fared]) -> Confidence:
    operations = sum(one.operations for one in groups)
    if operations >= MANY:
        return "high"
    return "medium" if operations >= FEW else "low"


def _evidence(
    inquiry: Inquiry, facts: Facts, items: Sequence[Item], seen: Coverage
) -> dict[str, Any]:
    group = admin_group(facts.administrators)
    first = next(iter(facts.in_force.values()))
    return {
        "coverage": seen.share,
        "apf": {cluster: found.apf for cluster, found in facts.in_force.items()},
        "overload": [one.facts for one in facts.groups],
        "baseline": [one.facts for one in fared(inquiry, "baseline")],
        "hang_ups": hang_ups(inquiry),
        "identities": [one.facts for one in facts.administrators],
        "not_saved": [one.facts for one in facts.overloads],
        "removal": facts.removed.facts if facts.removed else None,
        "checklist": [one.facts for one in items],
        "manifest": break_glass_manifest(group, first) if group else None,
    }


def _caveats(facts: Facts, seen: Coverage) -> list[str]:
    said = [UNSEEN, GAVE_UP]
    if any(KUBEADM_ADMINS in one.groups for one in facts.administrators):
        said.append(f"{KUBEADM_ADMINS} is not exempt: only system:masters is.")
    if any(one.exempt == UNKNOWN for one in facts.administrators):
        said.append(
            "Of an impersonated user (kubectl --as) the log holds the name alone: with "
            "--as-group=system:masters it was exempt."
        )
    conflicts = [line for found in facts.in_force.values() for line in found.conflicts]
    return [*said, *conflicts[:2], *seen.caveats]


def _missing(facts: Facts, inquiry: Inquiry) -> list[Missing]:
    untested = [one.what for one in facts.overloads if one.status == "not testable"]
    wanted = []
    if untested:
        wanted.append(
            Missing(
                f"metrics of {listed(untested)}", "kubepostmortem collect --question break-glass"
            )
        )
    if not inquiry.has("flow_schemas"):
        wanted.append(
            Missing(
                "flow control objects",
                "kubectl get flowschemas,prioritylevelconfigurations -o json",
            )
        )
    return wanted
