"""What stopped: heartbeats of nodes, elected leaders, and changes that nobody carried out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kubepostmortem.incident import iso
from kubepostmortem.questions.question import Inquiry

# A node that nobody tries to report was removed.
HEARTBEATS = """
with late as (
    select lapses.* from lease_lapses as lapses
    join incident
        on incident.cluster = lapses.cluster and time_window = 'overload'
        and expires_at >= begins_at and expires_at < ends_at
    where purpose = 'node heartbeat' and (tries > 0 or renewed_again_at is not null)
),
-- How many are late at the same time: one more with each that runs out, one less as it is renewed.
steps as (
    select cluster, expires_at as stepped_at, 1 as step from late
    union all
    select cluster, renewed_again_at, -1 from late where renewed_again_at is not null
),
counted as (
    select cluster, sum(step) over (partition by cluster order by stepped_at, step
        rows between unbounded preceding and current row) as late_at_once
    from steps
)
select
    late.cluster, count(distinct lease) as nodes, min(expires_at) as first_at,
    median(lapsed_s) as median_s, max(lapsed_s) as longest_s, any_value(limit_s) as limit_s,
    count(distinct lease) filter (renewed_again_at is null) as still_late,
    any_value(most) as most_at_once, any_value(heard.nodes) as of_nodes
from late
join (select cluster, max(late_at_once)::bigint as most from counted group by cluster) as peaks
    on peaks.cluster = late.cluster
join (select cluster, count(distinct name) as nodes from requests
    where resource = 'leases' and namespace = 'kube-node-lease' and name is not null
    group by cluster) as heard
    on heard.cluster = late.cluster
group by late.cluster
order by late.cluster
"""
RENEWED = """
select
    count(*) filter (namespace = 'kube-node-lease') as heartbeats,
    count(*) filter (namespace <> 'kube-node-lease') as elections
from overload_requests
where resource = 'leases' and verb in ('update', 'patch')
"""
LEADERS = """
select
    lapses.cluster, lease, namespace, component, renewed_at, expires_at, renewed_again_at, lapsed_s
from lease_lapses as lapses
join incident
    on incident.cluster = lapses.cluster and time_window = 'overload'
    and expires_at >= begins_at and expires_at < ends_at
where purpose = 'leader election'
order by expires_at, lapses.cluster, lease
"""
CHANGES = """
select changes.*
from followed_changes as changes
join incident
    on incident.cluster = changes.cluster and time_window = 'overload' and applied_at >= begins_at
where followed_at is null and waited_s >= $waited_s or followed_at is not null
order by applied_at, changes.cluster, service
"""
STALLED_S = 60.0  # without any act of a controller: a change that nobody carries out


@dataclass(frozen=True)
class Stops:
    """Rows of what stopped in the overload; empty where nothing did.

    nodes: per cluster, nodes whose heartbeat came too late; leaders: elections that were lost;
    changes: workloads that were created or deleted, and when a controller acted upon it;
    heartbeats, elections: renewals that the log shows, 0 where it could not show a loss.
    """

    nodes: Sequence[dict[str, Any]]
    leaders: Sequence[dict[str, Any]]
    changes: Sequence[dict[str, Any]]
    heartbeats: int
    elections: int

    @property
    def stalled(self) -> list[dict[str, Any]]:
        """Changes that were accepted, and that no controller acted upon."""
        return [one for one in self.changes if one["followed_at"] is None]

    @property
    def facts(self) -> dict[str, Any]:
        """Plain data, for machines; times are ISO 8601."""
        return {
            "nodes_late": _plain(self.nodes),
            "leaders_lost": _plain(self.leaders),
            "changes": _plain(self.changes),
            "heartbeats_in_log": self.heartbeats,
            "elections_in_log": self.elections,
        }


def stops(inquiry: Inquiry) -> Stops:
    """Look up what stopped because the API server did not answer."""
    seen = inquiry.row("renewals of leases that the log shows", RENEWED)
    return Stops(
        inquiry.rows("nodes whose heartbeats came too late", HEARTBEATS),
        inquiry.rows("elections of leaders that were lost", LEADERS),
        inquiry.rows("changes of workloads and who acted upon them", CHANGES, waited_s=STALLED_S),
        seen["heartbeats"],
        seen["elections"],
    )


def _plain(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {name: iso(value) if isinstance(value, datetime) else value for name, value in row.items()}
        for row in rows
    ]
