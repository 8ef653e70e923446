"""Where the API server takes the answers to lists from: its watch cache, or etcd."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kubepostmortem.questions.calls import CALLS, Calls
from kubepostmortem.questions.cause import Cause
from kubepostmortem.questions.question import Inquiry

# Build info is surer than user agents of the control plane. Source of the release: feature gate
# ConsistentListFromCache, beta and on since Kubernetes 1.31.
SERVED = f"""
with versions as (
    select cluster, arg_max(kubernetes_minor(version), named_by = 'kubernetes_build_info') as minor
    from server_versions
    where kubernetes_minor(version) is not null
    group by cluster
),
gates as (
    select cluster, bool_and(enabled) as is_on
    from enabled_features where gate = 'ConsistentListFromCache' group by cluster
)
select
    cluster, minor, coalesce(is_on, minor >= 31) as consistent_lists,
    is_on is not null as gate_known,
    count(*) as lists,
    count(*) filter (resource_version is null) / count(*) as most_recent,
    avg(is_served_from_cache(verb, page_limit, continues, resource_version,
        resource_version_match, minor, coalesce(is_on, minor >= 31))::integer) as from_cache
from (select * {CALLS} and verb = 'list')
left join versions using (cluster)
left join gates using (cluster)
group by all
order by lists desc, cluster
"""


@dataclass(frozen=True)
class Served:
    """Lists of one cluster: parts that ask for the most recent state, and come from the cache.

    minor: of the control plane, None: unknown; from_cache: None where the release decides.
    """

    cluster: str
    minor: int | None
    consistent_lists: bool | None
    gate_known: bool
    lists: int
    most_recent: float
    from_cache: float | None


def served(inquiry: Inquiry, calls: Calls) -> tuple[Served, ...]:
    """Look up per cluster where lists are served from, by version and feature gate."""
    rows = inquiry.rows("where its lists are served from", SERVED, **calls.parameters)
    return tuple(Served(**row) for row in rows)


def said(top: Cause, found: Sequence[Served]) -> str:
    """Say it in a few words, of the cluster with most lists."""
    if top.verb != "list" or not found:
        return "does not apply: it does not list"
    one = found[0]
    if one.minor is None and (one.most_recent >= 0.5 or one.from_cache is None):
        return "unknown: no server version in the evidence (etcd before 1.31, mostly cache since)"
    release = f"Kubernetes 1.{one.minor}" if one.minor is not None else "any release"
    if one.most_recent < 0.5:
        cached = one.from_cache is None or one.from_cache >= 0.5
        return f"{'the watch cache' if cached else 'mostly etcd'} ({release})"
    if one.consistent_lists:
        return f"mostly the watch cache ({release}: consistent lists from cache)"
    why = "that is switched off" if one.gate_known else "before consistent lists from cache"
    return f"etcd, by quorum read ({release}: {why})"
