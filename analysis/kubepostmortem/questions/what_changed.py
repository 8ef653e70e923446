"""What the cause does that is expensive: shape, pace and retries of its requests."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from kubepostmortem.questions.callers import footprint
from kubepostmortem.questions.calls import Calls
from kubepostmortem.questions.cause import Cause
from kubepostmortem.questions.changed.before import also_watch, changes
from kubepostmortem.questions.changed.cycle import cycle
from kubepostmortem.questions.changed.patterns import patterns
from kubepostmortem.questions.changed.served import said, served
from kubepostmortem.questions.changed.told import Facts, caveats, headline, tables
from kubepostmortem.questions.coverage import coverage
from kubepostmortem.questions.growth import first_cause, nothing_grew
from kubepostmortem.questions.purposes import purposes, scraped
from kubepostmortem.questions.question import Answer, Confidence, Figure, Inquiry, Missing
from kubepostmortem.questions.reading import paces, shapes
from kubepostmortem.questions.retries import retrying

id = "what-changed"
text = {
    "en": "What does the new service do that makes clients call the API server more?",
    "zh": "新服务做了什么，使客户端更多地调用 API 服务器？",
}
needs = ("requests", "incident")

READERS = """
select component, request_shape(verb, scope, page_limit, continues, resource_version,
    field_selector, label_selector, send_initial_events) as shape, count(*) as requests
from overload_requests
where resource is not null
    and verb in ('get', 'list', 'watch')
    and component in (
        select component from load_by_window
        where verb in ('get', 'list', 'watch')
        group by component order by sum(overload_rps) desc, component limit 8)
group by all
order by component, shape
"""


def answer(inquiry: Inquiry) -> Answer:
    """Describe the requests of the largest cause, and how others read the same resources."""
    top = first_cause(inquiry)
    if top is None:
        return nothing_grew(id, inquiry)
    facts, evidence = _look(inquiry, top)
    seen = coverage(inquiry)
    return Answer(
        question=id,
        status="answered",
        confidence=seen.weaken(_confidence(top, facts)),
        headline=headline(top, facts),
        evidence={"component": top.component, "verb": top.verb, "coverage": seen.share} | evidence,
        caveats=[*caveats(top, facts), *seen.caveats],
        missing=seen.missing + _missing(facts, evidence),
        sql=inquiry.statements,
        figures=[_figure(inquiry, top)],
        tables=tables(facts),
    )


def _look(inquiry: Inquiry, top: Cause) -> tuple[Facts, dict[str, Any]]:
    shaped, paced = shapes(inquiry, top.calls), paces(inquiry, top.calls)
    retried = retrying(inquiry, top.calls)
    places = served(inquiry, top.calls)
    asked_for = purposes(inquiry, Calls(top.component) if top.component else top.calls)
    watched = also_watch(inquiry, top)
    facts = Facts(
        shapes=shaped,
        paces=paced,
        changes=changes(inquiry, top),
        retrying=retried,
        cycle=cycle(inquiry, shaped, paced, footprint(inquiry, top.calls)["clients"]),
        patterns=patterns(top, shaped, paced, watched, retried),
        served_from=said(top, places),
        scrape_share=scraped(asked_for),
    )
    known = {
        "server_versions": inquiry.rows("versions of the control plane", "from server_versions"),
        "served": [asdict(place) for place in places],
        "also_watch": watched,
        "purposes": asked_for,
    }
    return facts, _evidence(top, facts) | known


def _evidence(top: Cause, facts: Facts) -> dict[str, Any]:
    retried, cycled = facts.retrying, facts.cycle
    return {
        "newcomer": top.newcomer,
        "resources": list(top.resources),
        "shapes": [asdict(shape) for shape in facts.shapes],
        "pace": [
            asdict(pace) | {"jitter": pace.jitter, "periodic": pace.periodic}
            for pace in facts.paces
        ],
        "changes": [asdict(change) for change in facts.changes],
        "retrying": asdict(retried) | {"retry_factor": retried.retry_factor},
        "cycle": asdict(cycled) | {"objects_per_s": cycled.objects_per_s},
        "patterns": list(facts.patterns),
        "served_from": facts.served_from,
        "scrape_share": facts.scrape_share,
    }


def _confidence(top: Cause, facts: Facts) -> Confidence:
    requests = sum(shape.requests for shape in facts.shapes)
    return "high" if requests >= 100 and top.newcomer else "medium"


def _missing(facts: Facts, evidence: dict[str, Any]) -> list[Missing]:
    missing = []
    if facts.cycle.resources and facts.cycle.objects is None:
        missing.append(
            Missing("object counts", "export apiserver_resource_objects from Prometheus")
        )
    if facts.cycle.resources and facts.cycle.sent_bytes is None:
        missing.append(
            Missing("sizes of answers", "export apiserver_response_sizes_sum and _count")
        )
    if not evidence["server_versions"]:
        missing.append(Missing("server version", "export kubernetes_build_info from Prometheus"))
    return missing


def _figure(inquiry: Inquiry, top: Cause) -> Figure:
    rows = inquiry.frame("how components read", READERS)
    return Figure("request_shape", f"How {top.name} and others read from the API server", rows)
