"""Which identities of administrators were exempt from flow control, and where the others fell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from kubepostmortem.flowcontrol.classify import Call, Caller, Flow, classify
from kubepostmortem.questions.question import Inquiry
from kubepostmortem.simulation.classified import call_of
from kubepostmortem.simulation.effective import Effective

MASTERS = "system:masters"
KUBEADM_ADMINS = "kubeadm:cluster-admins"
AUTHENTICATED = "system:authenticated"

YES = "yes"
WHEN_FULL = "when the pool is full"
NO = "no"
UNKNOWN = "unknown"

ASKED = """
select
    asked.cluster, caller_group, identity, username, impersonated_user,
    list_sort(coalesce(user_groups, [])) as user_groups,
    verb, api_group, resource, subresource, namespace,
    if(resource = 'namespaces', name, null) as name, if(resource is null, uri_path, null) as path,
    count(*) filter (time_window = 'baseline') as baseline,
    count(*) filter (time_window = 'overload') as overload,
    count(*) filter (time_window = 'overload' and outcome in ('answered', 'slow')) as answered,
    count(*) filter (time_window = 'overload' and outcome = 'refused') as refused
from admin_requests as asked
join incident
    on incident.cluster = asked.cluster
    and received_at >= incident.begins_at and received_at < incident.ends_at
group by all
order by all
"""
PROBES = """
select cluster, count(*) as overload, count(*) filter (code = 429) as refused,
    count(*) filter (code < 500 and code <> 429) as answered
from overload_requests
where resource is null and verb = 'get'
    and regexp_matches(uri_path, '^/(healthz|readyz|livez)(/|$)')
group by cluster
order by cluster
"""


@dataclass(frozen=True)
class Identity:
    """A user, and whom it acts as; where most of its requests fell, and how they fared.

    flow_schema, priority_level: as API Priority and Fairness classifies them, None where it is off.
    exempt: yes, no, when the pool is full (without API Priority and Fairness), or unknown (the log
    does not hold the groups of an impersonated user).
    """

    cluster: str
    identity: str
    group: str
    groups: tuple[str, ...]
    flow_schema: str | None
    priority_level: str | None
    exempt: str
    baseline: int
    overload: int
    answered: int
    refused: int

    @property
    def facts(self) -> dict[str, Any]:
        """Plain data, for machines."""
        return asdict(self) | {"groups": list(self.groups)}


def identities(inquiry: Inquiry, in_force: Mapping[str, Effective]) -> tuple[Identity, ...]:
    """Return every administrator that the windows show, busiest in the overload first.

    in_force: what was in force, by cluster.
    """
    calls: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in inquiry.rows("what administrators asked for", ASKED):
        key = (row["cluster"], row["identity"], row["caller_group"], tuple(row["user_groups"]))
        calls.setdefault(key, []).append(row)
    found = [_identity(rows, in_force[rows[0]["cluster"]]) for rows in calls.values()]
    return tuple(sorted(found, key=lambda one: (-one.overload, one.cluster, one.identity)))


def probes(inquiry: Inquiry, in_force: Mapping[str, Effective]) -> list[dict[str, Any]]:
    """Return health probes in the overload per cluster; off, flow control exempts none."""
    rows = inquiry.rows("health probes", PROBES)
    return [row | {"exempt": YES if in_force[row["cluster"]].apf else NO} for row in rows]


def _identity(rows: list[dict[str, Any]], effective: Effective) -> Identity:
    first = rows[0]
    flow, exempt = _fell_into(rows, effective)
    groups = tuple(first["user_groups"])
    if first["impersonated_user"] is not None:
        exempt = UNKNOWN
    elif not effective.apf:
        exempt = WHEN_FULL if MASTERS in groups else NO
    return Identity(
        cluster=first["cluster"],
        identity=first["identity"],
        group=first["caller_group"],
        groups=groups,
        flow_schema=flow.flow_schema if effective.apf else None,
        priority_level=flow.priority_level if effective.apf else None,
        exempt=exempt,
        **{name: sum(r[name] for r in rows) for name in ("baseline", "overload", "answered")},
        refused=sum(row["refused"] for row in rows),
    )


def _fell_into(rows: list[dict[str, Any]], effective: Effective) -> tuple[Flow, str]:
    """Return the flow of most requests, and whether all of them were exempt."""
    fell: Counter[Flow] = Counter()
    for row in rows:
        flow = classify(effective.configuration, _caller(row), _call(row))
        fell[Flow(flow.flow_schema, flow.priority_level)] += row["overload"] or row["baseline"]
    levels = effective.configuration.priority_levels
    exempt = all(levels[flow.priority_level].exempt for flow in fell)
    ((most, _),) = fell.most_common(1)
    return most, YES if exempt else NO


def _caller(row: Mapping[str, Any]) -> Caller:
    if row["impersonated_user"] is not None:
        return Caller(row["impersonated_user"], (AUTHENTICATED,))
    return Caller(row["username"] or "", tuple(row["user_groups"]) or (AUTHENTICATED,))


def _call(row: Mapping[str, Any]) -> Call:
    # The API server takes a namespace to lie in itself.
    namespace = row["namespace"] or row["name"] or ""
    return replace(call_of(row), namespace=namespace, name=row["name"] or "")
