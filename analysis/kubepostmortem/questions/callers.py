"""Who makes some calls: users, workloads, nodes, and example requests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kubepostmortem.questions.calls import (
    CALLS,
    CLIENT,
    CLUSTER_NODES,
    FOOTPRINT,
    Calls,
)
from kubepostmortem.questions.question import Inquiry

USERS = f"""
select username, service_account(username) as service_account, count(*) as requests,
    count(*) / sum(count(*)) over () as share
{CALLS}
group by username
order by requests desc, username
limit 5
"""

CALLERS = f"""
select
    count(*) as requests,
    count(distinct username) as user_count,
    count(distinct (cluster, {CLIENT})) as clients,
    {FOOTPRINT}
{CALLS}
"""

# Where no pod is named, the workloads are those that run under the service account.
WORKLOADS = f"""
with found as (
    select cluster, workload, if(workload is null, service_account(username), null) as account,
        count(*) as requests, count(distinct pod) as pods, count(distinct node) as nodes
    {CALLS}
    group by all
),
objects as (
    select cluster, kind, namespace || '/' || name as workload, replicas,
        replace(service_account, ':', '/') as account
    from workloads
)
select
    found.cluster, coalesce(found.workload, objects.workload) as workload, kind, replicas,
    if(found.workload is null, 'service account', 'pod name') as known_by,
    requests, requests / sum(requests) over () as share, pods, nodes
from found
left join objects
    on objects.cluster = found.cluster
    and (objects.workload = found.workload or objects.account = found.account)
where coalesce(found.workload, objects.workload) is not null
order by requests desc, found.cluster, workload, kind
limit 5
"""

EXAMPLES = f"""
with calls as (
    select cluster, audit_id, received_at, code,
        if(is_long_running(verb, subresource), null, latency_ms) as latency_ms, uri_path
    {CALLS}
),
answered as (
    select *, abs(latency_ms - median(latency_ms) over ()) as unusual
    from calls
    where code < 400 and latency_ms is not null
)
select * from (
    (select 'first' as shows, calls.* from calls order by received_at, audit_id limit 1)
    union all
    (select 'typical', * exclude (unusual) from answered order by unusual, audit_id limit 1)
    union all
    (select 'slowest', * exclude (unusual) from answered order by latency_ms desc, audit_id limit 1)
    union all
    (select 'throttled', * from calls where code = 429 order by received_at, audit_id limit 1)
    union all
    (select 'failed', * from calls where code >= 500 order by received_at, audit_id limit 1)
)
order by list_position(['first', 'typical', 'slowest', 'throttled', 'failed'], shows)
"""


@dataclass(frozen=True)
class User:
    """An identity and its part of the calls; service_account: namespace/name of one."""

    username: str | None
    service_account: str | None
    requests: int
    share: float


@dataclass(frozen=True)
class Workload:
    """A workload (namespace/name) that calls; kind and replicas where its object is known.

    known_by: pod name, or service account (then all workloads that run under it are listed, with
    its requests).
    """

    cluster: str
    workload: str
    kind: str | None
    replicas: int | None
    known_by: str
    requests: int
    share: float
    pods: int
    nodes: int


@dataclass(frozen=True)
class Example:
    """A request to look up in the audit log; shows: first, typical, slowest, throttled, failed."""

    shows: str
    cluster: str
    audit_id: str
    received_at: datetime
    code: int | None
    latency_ms: float | None
    uri_path: str | None


def users(inquiry: Inquiry, calls: Calls) -> tuple[User, ...]:
    """Return the five users with most of the calls."""
    rows = inquiry.rows("who calls", USERS, **calls.parameters)
    return tuple(User(**row) for row in rows)


def workloads(inquiry: Inquiry, calls: Calls) -> tuple[Workload, ...]:
    """Return the five workloads with most of the calls."""
    rows = inquiry.rows("workloads that call", WORKLOADS, **calls.parameters)
    return tuple(Workload(**row) for row in rows)


def footprint(inquiry: Inquiry, calls: Calls) -> dict[str, Any]:
    """Count requests, users, clients, pods, nodes, addresses, and the nodes of the clusters."""
    seen = inquiry.row("clients, pods and nodes that call", CALLERS, **calls.parameters)
    return seen | {"cluster_nodes": inquiry.row("nodes of the cluster", CLUSTER_NODES)["nodes"]}


def examples(inquiry: Inquiry, calls: Calls) -> tuple[Example, ...]:
    """Return up to five requests that are worth a look."""
    rows = inquiry.rows("example requests", EXAMPLES, **calls.parameters)
    return tuple(Example(**row) for row in rows)
