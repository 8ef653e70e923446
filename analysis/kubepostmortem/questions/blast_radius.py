"""Who depended on the API server, how each fared, and what could have needed it less."""

from __future__ import annotations

from collections.abc import Sequence

from kubepostmortem.questions.coverage import coverage
from kubepostmortem.questions.dependencies.effects import effects, ordered, summary
from kubepostmortem.questions.dependencies.fared import Fared, fared
from kubepostmortem.questions.dependencies.stops import Stops, stops
from kubepostmortem.questions.dependencies.stores import Store, dns_load, stores, taken_off
from kubepostmortem.questions.dependencies.told import figures, harm, tables, what_stopped
from kubepostmortem.questions.growth import first_cause
from kubepostmortem.questions.question import Answer, Confidence, Inquiry, Missing

id = "blast-radius"
text = {
    "en": (
        "The API server serves more than DNS: who depended on it, how did each fare, who runs on "
        "without it, and what would a store of its own have saved?"
    ),
    "zh": (
        "API 服务器不只服务 DNS：哪些组件依赖它，各自情况如何，"
        "哪些没有它也能运行，独立存储能减轻多少？"
    ),
}
needs = ("requests", "incident")

ENDS = "select max(ends_at) as ends_at from incident where time_window = 'overload'"
ENOUGH = 5  # components besides the cause, for a picture of the cluster
UNSEEN = (
    "Availability is what the API server's log shows: connections that were never accepted, and "
    "answers that came too late for the client, are not in it."
)
GENERAL = (
    "What runs on without the API server follows from how Kubernetes is built; the log has no "
    "traffic between pods."
)
FLAGS = (
    "A node counts as late by the default of its version (--node-monitor-grace-period); it is "
    "marked only where kube-controller-manager itself still works."
)


def answer(inquiry: Inquiry) -> Answer:
    """Tell how each component fared, what stopped, and what stores would have taken off."""
    stopped, saved = stops(inquiry), stores(inquiry)
    components = fared(inquiry, stopped.leaders)
    top = first_cause(inquiry)
    cause = top.component if top else None
    victims = [one for one in components if one.component != cause]
    ends_at = inquiry.row("when the overload ended", ENDS)["ends_at"]
    jobs = effects(victims, stopped, ends_at)
    seen = coverage(inquiry)
    told = [harm(victims), what_stopped(stopped)]
    return Answer(
        question=id,
        status="answered",
        confidence=seen.weaken(_confidence(victims)),
        headline=" ".join(told),
        evidence={
            "cause": cause,
            "coverage": seen.share,
            "components": [one.facts for one in components],
            **stopped.facts,
            "jobs": ordered(jobs),
            "jobs_by_status": summary(jobs),
            "stores": [one.facts for one in saved],
            "stores_told": taken_off(saved),
            "dns_load": dns_load(inquiry),
        },
        caveats=[UNSEEN, GENERAL, *_caveats(stopped), *seen.caveats],
        missing=seen.missing + _missing(stopped, saved),
        sql=inquiry.statements,
        figures=figures(inquiry, components, cause),
        tables=tables(components, jobs, saved, cause),
    )


def _confidence(victims: Sequence[Fared]) -> Confidence:
    known = sum(one.state != "hardly called" for one in victims)
    if known >= ENOUGH:
        return "high"
    return "medium" if known > 1 else "low"


def _caveats(stopped: Stops) -> list[str]:
    return [FLAGS] if stopped.nodes else []


def _missing(stopped: Stops, saved: Sequence[Store]) -> list[Missing]:
    wanted = []
    if not stopped.heartbeats:
        wanted.append(
            Missing(
                "renewals of leases (audit policies often leave them out)",
                "log coordination.k8s.io leases at level Metadata",
            )
        )
    if not any(one.counted_by != "audit log" for one in saved):
        wanted.append(
            Missing("etcd_requests_total", "kubepostmortem collect --question blast-radius")
        )
    return wanted
