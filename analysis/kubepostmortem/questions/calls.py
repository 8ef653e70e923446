"""Which requests of the overload a lookup is about, and the SQL that such lookups share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MATCHING = """($component::varchar is null or component = $component)
    and ($verb::varchar is null or verb = $verb)
    and (len($resources::varchar[]) = 0
        or list_contains($resources::varchar[], coalesce(resource, '')))"""

CALLS = f"""
from overload_requests
where {MATCHING}
"""

# A client is a pod where the log names it, else a user at an address.
CLIENT = "coalesce(pod, username || '@' || source_ip)"

FOOTPRINT = """
    count(distinct (cluster, node)) filter (node is not null) as nodes,
    count(distinct (cluster, pod)) filter (pod is not null) as pods,
    count(distinct (cluster, source_ip)) filter (source_ip is not null) as addresses
"""

# Each request of a client after its last one for the same resource.
PAIRS = f"""
calls as (
    select cluster, {CLIENT} as client,
        coalesce(resource, uri_path) as resource, received_at, code,
        coalesce(finished_at, received_at) as ended_at
    {CALLS}
),
pairs as (
    select cluster, client, resource, code,
        epoch(received_at - lag(received_at) over one) as interval_s,
        -- Negative where the client gave up before the API server had ended the request.
        greatest(epoch(received_at - lag(ended_at) over one), 0) as pause_s,
        lag(code) over one as code_before
    from calls
    window one as (partition by cluster, client, resource order by received_at)
)
"""

# A node of the cluster is one that is listed, or whose kubelet called.
CLUSTER_NODES = """
select count(distinct (cluster, node)) as nodes from (
    select cluster, node from nodes
    union
    select cluster, node from requests where node_from = 'identity'
)
"""


@dataclass(frozen=True)
class Calls:
    """Requests of one pattern; what is not given matches any, the resource '' what has none."""

    component: str | None = None
    verb: str | None = None
    resources: tuple[str, ...] = ()

    @property
    def parameters(self) -> dict[str, Any]:
        """What statements over MATCHING bind."""
        return {
            "component": self.component,
            "verb": self.verb,
            "resources": list(self.resources),
        }
