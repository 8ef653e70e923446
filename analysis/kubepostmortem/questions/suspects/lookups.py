"""What is known of releases near the incident, of the causes' callers, and of clusters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kubepostmortem.attribution.fan_out import FanOut
from kubepostmortem.questions.callers import users, workloads
from kubepostmortem.questions.calls import MATCHING
from kubepostmortem.questions.cause import Cause
from kubepostmortem.questions.question import Inquiry
from kubepostmortem.questions.reading import paces
from kubepostmortem.questions.waves import Wave, law, waves

CANDIDATES = """
select candidates.*,
    coalesce(growth_demand, 0) / nullif((select sum(growth_demand) from load_growth), 0) as share,
    growth_rps
from deploy_candidates as candidates
left join growth_by_client using (cluster, namespace, service)
where applied_at >= (select min(begins_at) - interval 1 hour from incident)
    and applied_at < (select max(ends_at) from incident)
order by applied_at, service, namespace, candidates.cluster
"""

# Clusters are reached one after the other, and each has windows of its own.
ONSETS = f"""
select requests.cluster,
    min(received_at) filter (received_at >= begins_at - interval 1 minute) as onset
from requests
join incident on incident.cluster = requests.cluster and time_window = 'overload'
where {MATCHING}
group by all
order by requests.cluster
"""

# A cluster in which no overload was found has no windows to compare.
CLUSTERS = """
select intervals.cluster, coalesce(sum(growth_demand), 0) as growth_demand,
    coalesce(sum(baseline_demand), 0) as baseline_demand
from intervals
left join load_growth using (cluster)
group by intervals.cluster
order by intervals.cluster
"""

DOSES = "select * from rollout_doses where nodes_reached > 0 order by cluster, workload"


@dataclass(frozen=True)
class Known:
    """What suspects are judged by.

    onsets: when the first cause's calls began, by cluster (naive UTC); callers: workloads and
    service accounts (namespace/name) that make the calls of the primary causes; doses: rows of
    rollout_doses by cluster and workload; waves and law: of the first cause's clients; clusters:
    growth and baseline of demand by cluster.
    """

    onsets: Mapping[str, datetime]
    callers: frozenset[str]
    doses: Mapping[tuple[str, str], dict[str, Any]]
    waves: Sequence[Wave]
    law: FanOut | None
    clusters: Mapping[str, dict[str, Any]]


def candidates(inquiry: Inquiry) -> list[dict[str, Any]]:
    """Return the releases near the incident with the growth of their own calls."""
    return inquiry.rows("releases near the incident", CANDIDATES)


def known(inquiry: Inquiry, primary: Sequence[Cause]) -> Known:
    """Look up what tells causes from bystanders; primary: the primary causes, the first leads."""
    top = primary[0]
    found = [one.workload for one in workloads(inquiry, top.calls)]
    pace = paces(inquiry, top.calls)
    clusters = inquiry.rows("growth of demand by cluster", CLUSTERS)
    doses = inquiry.rows("growth on the nodes that rollouts reached", DOSES)
    return Known(
        onsets=_onsets(inquiry, top, len(clusters)),
        callers=frozenset(found) | _accounts(inquiry, top) | _others(inquiry, primary[1:]),
        doses={(row["cluster"], row["workload"]): row for row in doses},
        waves=waves(inquiry, top.calls, found),
        law=law(inquiry, top.calls, pace[0].interval_s if pace else None),
        clusters={row["cluster"]: row for row in clusters},
    )


def _onsets(inquiry: Inquiry, top: Cause, clusters: int) -> dict[str, datetime]:
    rows = inquiry.rows("when its calls began, by cluster", ONSETS, **top.calls.parameters)
    began = {row["cluster"]: row["onset"] for row in rows if row["onset"]}
    if len(began) == 1 and clusters == 1 and top.onset:
        return dict.fromkeys(began, top.onset)
    return began


def _accounts(inquiry: Inquiry, cause: Cause) -> frozenset[str]:
    found = (user.service_account for user in users(inquiry, cause.calls))
    return frozenset(account for account in found if account)


def _others(inquiry: Inquiry, causes: Sequence[Cause]) -> frozenset[str]:
    found: frozenset[str] = frozenset()
    for cause in causes:
        found |= _accounts(inquiry, cause)
        found |= {one.workload for one in workloads(inquiry, cause.calls)}
    return found
