"""Why nodes are involved: how many nodes and pods issued the calls, and calls for what."""

from __future__ import annotations

from typing import Any

import polars as pl

from kubepostmortem.questions.calls import CALLS, CLUSTER_NODES, FOOTPRINT, Calls
from kubepostmortem.questions.cause import Cause
from kubepostmortem.questions.coverage import Coverage, coverage
from kubepostmortem.questions.growth import first_cause, nothing_grew
from kubepostmortem.questions.question import Answer, Confidence, Figure, Inquiry, Missing, Table
from kubepostmortem.questions.words import number, percent

id = "why-nodes"
text = {
    "en": "Why are nodes involved: how many called, is it one agent per node, and for what?",
    "zh": "为什么牵涉到节点：有多少节点发起调用，是否每个节点一个代理，调用了什么？",
}
needs = ("requests", "incident")

CALLERS = f"""
select
    {FOOTPRINT},
    count(node) / count(*) as with_node,
    mode(workload) as workload,
    mode(node_from) as node_from,
    count(*) as requests,
    max(epoch(ends_at - begins_at)) as window_s
{CALLS}
"""

PURPOSES = f"""
select
    case
        when regexp_matches(uri_path, '(^|/)metrics(/|$)|/api/v1/nodes/[^/]+/proxy')
            then 'metrics scrape'
        when scope = 'nonresource' then 'other non-resource URL'
        when verb = 'watch' then 'watch'
        when verb = 'list' then 'list of resources'
        when verb = 'get' then 'get of one object'
        else 'write'
    end as purpose,
    count(*) as requests
{CALLS}
group by purpose
order by requests desc, purpose
"""

PER_NODE = f"""
select median(requests) as median, quantile_cont(requests, 0.95) as p95, max(pods) as most_pods
from (select node, count(*) as requests, count(distinct pod) as pods
    {CALLS} and node is not null group by cluster, node)
"""

DAEMONSET = """
select kind, replicas, ready from workloads
where namespace || '/' || name = $workload
"""

SPREAD = f"""
select
    time_bucket(to_seconds(interval_s), received_at) as interval_at,
    count(distinct (cluster, node)) filter (node is not null) as nodes,
    count(*) / any_value(interval_s) as requests_per_s
from (select cluster, node, received_at {CALLS})
join intervals using (cluster)
group by interval_at
order by interval_at
"""


def answer(inquiry: Inquiry) -> Answer:
    """Describe the footprint of the largest cause: nodes, pods, and what it asked for."""
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
        caveats=_caveats(facts, seen),
        missing=seen.missing + _missing(facts),
        sql=inquiry.statements,
        figures=[_figure(inquiry, top, facts)],
        tables=[Table("What its requests asked for", pl.DataFrame(facts["purposes"]))],
    )


def _facts(inquiry: Inquiry, top: Cause) -> dict[str, Any]:
    caller = _caller(top)
    footprint = inquiry.row("nodes and pods that called", CALLERS, **caller)
    per_node = inquiry.row("calls per node", PER_NODE, **caller)
    purposes = inquiry.rows("what the calls asked for", PURPOSES, **caller)
    cluster_nodes = inquiry.row("nodes of the cluster", CLUSTER_NODES)["nodes"]
    listed_as = inquiry.row("the workload's object", DAEMONSET, workload=footprint["workload"])
    nodes = footprint["nodes"]
    return {
        **footprint,
        "cluster_nodes": cluster_nodes,
        "node_share": nodes / cluster_nodes if cluster_nodes else None,
        "workload_kind": listed_as.get("kind"),
        "one_per_node": bool(nodes) and per_node["most_pods"] == 1,
        "daemonset_shape": top.component is not None
        and _daemonset_shape(nodes, cluster_nodes, per_node, listed_as),
        "requests_per_node_per_s": (per_node["median"] or 0) / footprint["window_s"],
        "purposes": [{**row, "share": row["requests"] / footprint["requests"]} for row in purposes],
    }


def _caller(top: Cause) -> dict[str, Any]:
    """Bind all calls of the component; where many clients are the cause, what they do alike."""
    calls = Calls(top.component) if top.component else top.calls
    return calls.parameters


def _daemonset_shape(
    nodes: int, cluster_nodes: int, per_node: dict[str, Any], listed_as: dict[str, Any]
) -> bool:
    """Tell a DaemonSet from its object, else from at most one pod on at least half of the nodes.

    Half, because an overload keeps pods from starting.
    """
    if listed_as:
        return str(listed_as["kind"]) == "DaemonSet"
    return nodes > 1 and (per_node["most_pods"] or 0) <= 1 and nodes >= 0.5 * cluster_nodes


def _headline(top: Cause, facts: dict[str, Any]) -> str:
    nodes, total = facts["nodes"], facts["cluster_nodes"]
    if not nodes:
        return f"No node is named in the calls of {top.name}: they come from elsewhere."
    where = f"{nodes} of {total} nodes" if total else f"{nodes} nodes"
    shape = "one pod per node, the shape of a DaemonSet" if facts["pods"] else "one client per node"
    pace = number(facts["requests_per_node_per_s"])
    spread = (
        f"{shape}: every node adds {pace} requests per second, so the load grows with the cluster"
        if facts["daemonset_shape"]
        else f"{facts['pods'] or 'no known'} pods"
    )
    main = facts["purposes"][0]
    scrapes = sum(r["share"] for r in facts["purposes"] if r["purpose"] == "metrics scrape")
    return (
        f"{top.name} called from {where}, {spread}. {percent(main['share'])} of its calls "
        f"are of one kind, {main['purpose']}; {percent(scrapes)} read metrics."
    )


def _confidence(facts: dict[str, Any]) -> Confidence:
    if facts["node_from"] == "token" and facts["with_node"] > 0.9:
        return "high"
    return "medium" if facts["with_node"] > 0.5 else "low"


def _caveats(facts: dict[str, Any], seen: Coverage) -> list[str]:
    known = {
        "token": "from the bound token of the calling pod",
        "identity": "from the kubelet's identity",
        "source-ip": "from its source address, which proxies can hide",
    }.get(facts["node_from"], "not known")
    kind = facts["workload_kind"]
    shape = (
        f"The object {facts['workload']} is a {kind}."
        if kind
        else ("The DaemonSet shape is inferred from pods and nodes; its object was not ingested.")
    )
    return [f"The node of a call is known {known}.", shape, *seen.caveats]


def _missing(facts: dict[str, Any]) -> list[Missing]:
    if facts["workload_kind"]:
        return []
    what = f"the object of {facts['workload'] or 'the workload'}"
    return [Missing(what, "kubectl get daemonsets,deployments -A -o json")]


def _figure(inquiry: Inquiry, top: Cause, facts: dict[str, Any]) -> Figure:
    rows = inquiry.frame("nodes and calls over time", SPREAD, **_caller(top))
    return Figure("footprint", f"{top.name} spreads over {facts['nodes']} nodes", rows)
