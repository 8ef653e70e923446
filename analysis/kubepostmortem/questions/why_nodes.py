"""Why nodes are involved: how many nodes and pods issued the calls, and calls for what."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import polars as pl

from kubepostmortem.questions.callers import workloads
from kubepostmortem.questions.calls import CALLS, CLUSTER_NODES, FOOTPRINT, Calls
from kubepostmortem.questions.cause import Cause
from kubepostmortem.questions.cause_profile import plain
from kubepostmortem.questions.coverage import coverage
from kubepostmortem.questions.growth import first_cause, nothing_grew
from kubepostmortem.questions.purposes import purposes, scraped
from kubepostmortem.questions.question import Answer, Confidence, Figure, Inquiry, Missing, Table
from kubepostmortem.questions.spread.covered import covered, curves
from kubepostmortem.questions.spread.per_node import Group, node_rps, one_each, per_node
from kubepostmortem.questions.spread.told import caveats, headline
from kubepostmortem.questions.waves import waves

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

DAEMONSET = """
select kind, replicas, ready from workloads
where namespace || '/' || name = $workload
order by kind
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
        headline=headline(top, facts),
        evidence={"component": top.component, "verb": top.verb, "coverage": seen.share, **facts},
        caveats=[*caveats(facts), *seen.caveats],
        missing=seen.missing + _missing(facts),
        sql=inquiry.statements,
        figures=_figures(inquiry, top, facts),
        tables=_tables(facts),
    )


def _facts(inquiry: Inquiry, top: Cause) -> dict[str, Any]:
    calls = _calls(top)
    seen = inquiry.row("nodes and pods that called", CALLERS, **calls.parameters)
    groups = per_node(inquiry, calls)
    total = inquiry.row("nodes of the cluster", CLUSTER_NODES)["nodes"]
    listed_as = inquiry.row("the workload's object", DAEMONSET, workload=seen["workload"])
    callers = [one.workload for one in workloads(inquiry, calls)]
    asked_for = purposes(inquiry, calls)
    found: dict[str, Any] = plain(
        {
            **seen,
            "cluster_nodes": total,
            "node_share": seen["nodes"] / total if total else None,
            "workload_kind": listed_as.get("kind"),
            "workloads": callers,
            "one_per_node": one_each(groups),
            "daemonset_shape": top.component is not None
            and _daemonset_shape(seen["nodes"], total, groups, listed_as),
            "clients_per_node": [asdict(group) for group in groups],
            "requests_per_node_per_s": node_rps(inquiry, calls, groups),
            "covered": asdict(covered(inquiry, calls, callers)),
            "waves": [asdict(wave) for wave in waves(inquiry, calls, callers)],
            "purposes": asked_for,
            "scrape_share": scraped(asked_for),
        }
    )
    return found


def _calls(top: Cause) -> Calls:
    """All calls of the component; where many clients are the cause, what they do alike."""
    return Calls(top.component) if top.component else top.calls


def _daemonset_shape(
    nodes: int, cluster_nodes: int, groups: tuple[Group, ...], listed_as: dict[str, Any]
) -> bool:
    """Tell a DaemonSet from its object, else from one client at a time on at least half the nodes.

    Half, because an overload keeps pods from starting.
    """
    if listed_as:
        return str(listed_as["kind"]) == "DaemonSet"
    return nodes > 1 and one_each(groups) and nodes >= 0.5 * cluster_nodes


def _confidence(facts: dict[str, Any]) -> Confidence:
    if facts["node_from"] == "token" and facts["with_node"] > 0.9:
        return "high"
    return "medium" if facts["with_node"] > 0.5 else "low"


def _missing(facts: dict[str, Any]) -> list[Missing]:
    if facts["workload_kind"]:
        return []
    what = f"the object of {facts['workload'] or 'the workload'}"
    return [Missing(what, "kubectl get daemonsets,deployments -A -o json")]


def _figures(inquiry: Inquiry, top: Cause, facts: dict[str, Any]) -> list[Figure]:
    calls = _calls(top)
    spread = inquiry.frame("nodes and calls over time", SPREAD, **calls.parameters)
    figures = [Figure("footprint", f"{top.name} spreads over {facts['nodes']} nodes", spread)]
    if not facts["covered"]["with_new_pod"]:
        return figures
    says = f"Nodes begin to call as the rollout of {top.name} reaches them"
    return [*figures, Figure("nodes_covered", says, curves(inquiry, calls, facts["workloads"]))]


def _tables(facts: dict[str, Any]) -> list[Table]:
    tables = [Table("What its requests asked for", pl.DataFrame(facts["purposes"]))]
    if facts["clients_per_node"]:
        groups = pl.DataFrame(facts["clients_per_node"])
        tables.append(Table("Clients at a time on one node, and how many nodes", groups))
    return tables
