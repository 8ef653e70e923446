"""The facts of why-nodes in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from kubepostmortem.questions.cause import Cause
from kubepostmortem.questions.words import listed, number, percent, span

KNOWN_FROM = {
    "token": "from the bound token of the calling pod",
    "identity": "from the kubelet's identity",
    "source-ip": "from its source address, which proxies can hide",
}


def headline(top: Cause, facts: dict[str, Any]) -> str:
    """One or two sentences: from where, in what shape, and for what."""
    nodes, total = facts["nodes"], facts["cluster_nodes"]
    if not nodes:
        return f"No node is named in the calls of {top.name}: they come from elsewhere."
    where = f"{nodes} of {total} nodes" if total else f"{nodes} nodes"
    main = facts["purposes"][0]
    return (
        f"{top.name} called from {where}, {_spread(facts)}. {percent(main['share'])} of its calls "
        f"are of one kind, {main['purpose']}; {percent(facts['scrape_share'])} read metrics."
    )


def _spread(facts: dict[str, Any]) -> str:
    if not facts["daemonset_shape"]:
        return f"{facts['pods'] or 'no known'} pods"
    shape = "one pod per node, the shape of a DaemonSet" if facts["pods"] else "one client per node"
    pace = number(facts["requests_per_node_per_s"])
    return (
        f"{shape}: every node adds {pace} requests per second, so the load grows with the cluster"
    )


def caveats(facts: dict[str, Any]) -> list[str]:
    """What must be known to read the numbers."""
    kind = facts["workload_kind"]
    shape = (
        f"The object {facts['workload']} is a {kind}."
        if kind
        else "The DaemonSet shape is inferred from pods and nodes; its object was not ingested."
    )
    known = KNOWN_FROM.get(facts["node_from"], "not known")
    how = f"The node of a call is known {known}." if known != "not known" else ""
    return [*filter(None, [how]), shape, *_waves(facts["waves"]), *_covered(facts["covered"])]


def _waves(waves: Sequence[dict[str, Any]]) -> list[str]:
    if len(waves) < 2:
        return []
    clients = listed([str(wave["clients"]) for wave in waves], 8)
    took = _moment(waves[-1]["ended_at"]) - _moment(waves[0]["began_at"])
    return [
        f"Its clients came in {len(waves)} waves of {clients} within {span(took.total_seconds())}."
    ]


def _covered(covered: dict[str, Any]) -> list[str]:
    if not covered["with_new_pod"] or covered["start_lag_s"] is None:
        return []
    follows = covered["correlation"]
    as_told = (
        f"; the two times go together over nodes (correlation {follows:.2f})"
        if follows is not None and follows > 0.5
        else ""
    )
    return [
        f"{covered['with_new_pod']} of {covered['nodes']} nodes that called had got a new pod of "
        f"it; the first call came {span(covered['start_lag_s'])} after the pod (median){as_told}."
    ]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
