"""Load that DNS put on the API server: its own requests, writes about its pods, relists."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from kubepostmortem.questions.dns_hypotheses.facts import Facts
from kubepostmortem.questions.question import Inquiry

OWN, SCALER = "DNS servers", "DNS autoscaler"
OF_DNS = "kind = 'dns' and component <> 'external-dns'"
LOAD = f"""
select
    case
        when regexp_matches(component, 'dns-autoscaler|cluster-proportional-autoscaler')
            then '{SCALER}'
        when {OF_DNS} then '{OWN}'
        else 'others'
    end as part,
    sum(baseline_rps) as baseline_rps, sum(overload_rps) as overload_rps,
    sum(baseline_demand) as baseline_demand, sum(overload_demand) as overload_demand
from load_by_window where cluster = $cluster
group by part order by part
"""
# What the control plane and kubelets write because DNS pods come and go.
ABOUT = f"""
select
    count(*) filter (time_window = 'baseline') / any_value(baseline_s) as baseline_rps,
    count(*) filter (time_window = 'overload') / any_value(overload_s) as overload_rps
from requests
join incident on incident.cluster = requests.cluster
    and received_at >= begins_at and received_at < ends_at
join (select cluster,
        max(epoch(ends_at - begins_at)) filter (time_window = 'baseline') as baseline_s,
        max(epoch(ends_at - begins_at)) filter (time_window = 'overload') as overload_s
    from incident group by cluster) as spans on spans.cluster = requests.cluster
where requests.cluster = $cluster and not ({OF_DNS})
    and verb in ('create', 'update', 'patch', 'delete') and namespace = 'kube-system'
    and regexp_matches(name, '^(coredns|kube-dns|node-?local-?dns)')
"""
# Reflectors list at resourceVersion 0, or let a watch send everything, when they begin anew.
RELISTS = f"""
select
    count(*) filter (received_at < $since::timestamp)
        / nullif(epoch($since::timestamp - $begins_at::timestamp), 0) as before_rps,
    count(*) filter (received_at >= $since::timestamp)
        / nullif(epoch($ends_at::timestamp - $since::timestamp), 0) as during_rps
from requests
where cluster = $cluster and not ({OF_DNS})
    and received_at >= $begins_at::timestamp and received_at < $ends_at::timestamp
    and (verb = 'list' and resource_version = '0' or send_initial_events)
"""


@dataclass(frozen=True)
class Added:
    """Load of DNS in requests per second, and as shares of the growth of all requests.

    shares are None where all requests together did not grow. relists_at_most: growth of relists of
    other clients while lookups failed, which the overload itself explains as well; None: unknown.
    """

    baseline_rps: float
    overload_rps: float
    scaler_rps: float
    about_rps: float
    growth_rps: float
    share_of_requests: float | None
    share_of_demand: float | None
    relists_at_most: float | None

    @property
    def share(self) -> float:
        """The larger of both shares, 0.0 where there is none."""
        return max(self.share_of_requests or 0.0, self.share_of_demand or 0.0, 0.0)

    @property
    def facts(self) -> dict[str, Any]:
        """Plain data, for machines."""
        return asdict(self)


def added(inquiry: Inquiry, one: Facts, failed_since: datetime | None) -> Added:
    """Look up what DNS added; failed_since: when lookups began to fail in the overload."""
    rows = {
        row["part"]: row
        for row in inquiry.rows("load of DNS and of all others", LOAD, cluster=one.cluster)
    }
    about = inquiry.row("writes about DNS pods", ABOUT, cluster=one.cluster)
    mine = [rows[part] for part in (OWN, SCALER) if part in rows]
    about_grew = (about.get("overload_rps") or 0.0) - (about.get("baseline_rps") or 0.0)
    requests = _growth(list(rows.values()), "rps")
    demand = _growth(list(rows.values()), "demand")
    relists = _relists(inquiry, one, failed_since)
    return Added(
        baseline_rps=sum(row["baseline_rps"] for row in mine),
        overload_rps=sum(row["overload_rps"] for row in mine),
        scaler_rps=rows[SCALER]["overload_rps"] if SCALER in rows else 0.0,
        about_rps=about_grew,
        growth_rps=requests,
        share_of_requests=(_growth(mine, "rps") + about_grew) / requests if requests > 0 else None,
        share_of_demand=_growth(mine, "demand") / demand if demand > 0 else None,
        relists_at_most=relists / requests if relists is not None and requests > 0 else None,
    )


def _growth(rows: list[dict[str, Any]], measure: str) -> float:
    grown = [row[f"overload_{measure}"] - row[f"baseline_{measure}"] for row in rows]
    return float(sum(grown))


def _relists(inquiry: Inquiry, one: Facts, since: datetime | None) -> float | None:
    if since is None or not one.overload_at < since < one.ends_at:
        return None
    found = inquiry.row(
        "relists of other clients before and after lookups began to fail",
        RELISTS,
        cluster=one.cluster,
        since=since,
        begins_at=one.overload_at,
        ends_at=one.ends_at,
    )
    if not found or found["before_rps"] is None or found["during_rps"] is None:
        return None
    return max(float(found["during_rps"] - found["before_rps"]), 0.0)
