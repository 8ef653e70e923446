"""What the cause does that is expensive: shape, pace and retries of its requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from kubepostmortem.questions.calls import CALLS, PAIRS, Calls
from kubepostmortem.questions.cause import Cause
from kubepostmortem.questions.coverage import coverage
from kubepostmortem.questions.growth import first_cause, nothing_grew
from kubepostmortem.questions.question import Answer, Confidence, Figure, Inquiry, Missing, Table
from kubepostmortem.questions.words import listed, number, resources, span

id = "what-changed"
text = {
    "en": "What does the new service do that makes clients call the API server more?",
    "zh": "新服务做了什么，使客户端更多地调用 API 服务器？",
}
needs = ("requests", "incident")

SHAPE = f"""
select
    coalesce(resource, uri_path) as resource,
    count(*) as requests,
    count(*) filter (scope = 'cluster') / count(*) as cluster_wide,
    count(*) filter (resource_version is null) / count(*) as without_resource_version,
    count(*) filter (page_limit is null and not continues) / count(*) as without_limit,
    count(*) filter (field_selector is null and label_selector is null) / count(*)
        as without_selector,
    count(*) filter (code = 429) / count(*) as throttled,
    mode(uri_path) as example_path,
    min(audit_id) as example_audit_id
{CALLS}
group by 1
order by requests desc, resource
"""

PACE = f"""
with {PAIRS}
select
    resource,
    (select count(distinct (cluster, client)) from calls) as clients,
    median(interval_s) filter (code_before < 400) as interval_s,
    quantile_cont(interval_s, 0.1) filter (code_before < 400) as interval_p10_s,
    quantile_cont(interval_s, 0.9) filter (code_before < 400) as interval_p90_s,
    median(pause_s) filter (code_before = 429) as pause_after_429_s,
    median(pause_s) filter (code_before >= 500) as pause_after_5xx_s,
    count(*) filter (code_before = 429 or code_before >= 500) / count(*) as retry_share
from pairs
group by resource
order by resource
"""

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

OBJECTS = """
select resource, max(objects) as objects from objects_count
where resource = any($resources) group by resource order by resource
"""


def answer(inquiry: Inquiry) -> Answer:
    """Describe the requests of the largest cause, and how others read the same resources."""
    top = first_cause(inquiry)
    if top is None:
        return nothing_grew(id, inquiry)
    facts = _facts(inquiry, top)
    seen = coverage(inquiry)
    return Answer(
        question=id,
        status="answered",
        confidence=seen.weaken(_confidence(facts)),
        headline=_headline(top, facts),
        evidence={"component": top.component, "verb": top.verb, "coverage": seen.share, **facts},
        caveats=[*_caveats(facts), *seen.caveats],
        missing=seen.missing + _missing(facts),
        sql=inquiry.statements,
        figures=[_figure(inquiry, top)],
        tables=_tables(facts),
    )


def _facts(inquiry: Inquiry, top: Cause) -> dict[str, Any]:
    caller = Calls(top.component, top.verb).parameters
    shapes = inquiry.rows("shape of its requests by resource", SHAPE, **caller)
    paces = inquiry.rows("pace of each client by resource", PACE, **caller)
    objects = inquiry.rows("objects per resource", OBJECTS, resources=list(top.resources))
    versions = inquiry.rows("versions of the control plane", "from server_versions")
    return {
        "newcomer": top.newcomer,
        "resources": list(top.resources),
        "shapes": shapes,
        "pace": paces,
        "objects": objects,
        "server_versions": versions,
        "served_from": _served_from(top, shapes, versions),
        "patterns": _patterns(top, shapes, paces),
    }


def _patterns(
    top: Cause, shapes: Sequence[dict[str, Any]], paces: Sequence[dict[str, Any]]
) -> list[str]:
    """Name what is unlike a well-behaved client, which lists once and watches from there."""
    total = sum(row["requests"] for row in shapes)
    named = []
    if top.verb == "list" and any(row["interval_s"] for row in paces):
        named.append("polls instead of watching")
    if top.verb == "list":
        named += [
            text
            for key, text in (
                ("cluster_wide", "reads the whole cluster"),
                ("without_selector", "without a selector"),
                ("without_limit", "without limit"),
                ("without_resource_version", "without resourceVersion"),
            )
            if sum(row[key] * row["requests"] for row in shapes) > 0.5 * total
        ]
    if sum(row["retry_share"] or 0 for row in paces) > 0.2 * len(paces):
        named.append("retries what was refused")
    return named


def _served_from(
    top: Cause, shapes: Sequence[dict[str, Any]], versions: Sequence[dict[str, Any]]
) -> str:
    """Say where lists without resourceVersion are served from.

    Source: Kubernetes feature gate ConsistentListFromCache, beta and on since 1.31.
    """
    total = sum(row["requests"] for row in shapes)
    unversioned = sum(row["without_resource_version"] * row["requests"] for row in shapes)
    if top.verb != "list" or unversioned < 0.5 * total:
        return "does not apply: it does not list without resourceVersion"
    minor = _minor(versions)
    if minor is None:
        return "unknown: no server version in the evidence (etcd before 1.31, mostly cache since)"
    if minor >= 31:
        return f"mostly the watch cache (Kubernetes 1.{minor}: consistent lists from cache)"
    return f"etcd, by quorum read (Kubernetes 1.{minor}: before consistent lists from cache)"


def _minor(versions: Sequence[dict[str, Any]]) -> int | None:
    """Return the minor version of the control plane, build info before user agents."""
    surest = sorted(versions, key=lambda row: row["named_by"] != "kubernetes_build_info")
    for row in surest:
        parts = str(row["version"]).lstrip("v").split(".")
        if len(parts) > 1 and parts[0] == "1" and parts[1].rstrip("+").isdigit():
            return int(parts[1].rstrip("+"))
    return None


def _headline(top: Cause, facts: dict[str, Any]) -> str:
    pace = _usual(facts["pace"], "interval_s")
    patterns = listed(facts["patterns"], 6)
    clients = max((row["clients"] for row in facts["pace"]), default=0)
    by = f"{number(clients)} clients" if clients != 1 else "1 client"
    every = f", {'each ' if clients != 1 else ''}about every {span(pace)}" if pace else ""
    served = f" Served from: {facts['served_from']}." if top.verb == "list" else ""
    return (
        f"{'New' if top.newcomer else 'More'} requests of {top.name}: {top.does} of "
        f"{resources(top.resources)} by {by}{every}; "
        f"{f'it {patterns}' if patterns else 'their shape is not unusual'}.{served}"
    )


def _usual(rows: Sequence[dict[str, Any]], key: str) -> float | None:
    values = [row[key] for row in rows if row[key] is not None]
    return sorted(values)[len(values) // 2] if values else None


def _confidence(facts: dict[str, Any]) -> Confidence:
    requests = sum(row["requests"] for row in facts["shapes"])
    return "high" if requests >= 100 and facts["newcomer"] else "medium"


def _caveats(facts: dict[str, Any]) -> list[str]:
    pause = _usual(facts["pace"], "pause_after_429_s")
    return [
        "The interval of a client is the time between two of its requests for one resource of "
        "which the first was answered; queueing in the API server lengthens it.",
        *([f"After a 429 its clients wait {span(pause)} (median)."] if pause is not None else []),
    ]


def _missing(facts: dict[str, Any]) -> list[Missing]:
    missing = []
    if not facts["objects"]:
        missing.append(
            Missing("object counts", "export apiserver_resource_objects from Prometheus")
        )
    if not facts["server_versions"]:
        missing.append(Missing("server version", "export kubernetes_build_info from Prometheus"))
    return missing


def _figure(inquiry: Inquiry, top: Cause) -> Figure:
    rows = inquiry.frame("how components read", READERS)
    return Figure("request_shape", f"How {top.name} and others read from the API server", rows)


def _tables(facts: dict[str, Any]) -> list[Table]:
    shapes = pl.DataFrame(facts["shapes"])
    shares = ("cluster_wide", "without_resource_version", "without_limit", "without_selector")
    named = [pl.col(share).alias(f"{share}_share") for share in (*shares, "throttled")]
    return [
        Table("Its requests by resource", shapes.select("resource", "requests", *named)),
        Table("Pace of one client (medians)", pl.DataFrame(facts["pace"])),
    ]
