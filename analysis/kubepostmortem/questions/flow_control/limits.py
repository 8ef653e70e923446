"""Whether limits were reached in the overload: of requests in flight, or of seats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from kubepostmortem.questions.question import Inquiry
from kubepostmortem.questions.words import number, percent
from kubepostmortem.simulation.effective import Effective
from kubepostmortem.simulation.setting import Setting

READS, WRITES = "--max-requests-inflight", "--max-mutating-requests-inflight"
APF = "--enable-priority-and-fairness"
ORIGINS: Mapping[str, str] = {
    "flags": "set by flags",
    "metrics": "as metrics tell",
    "release defaults": "not known to be set, so the defaults",
}

IN_FLIGHT = """
with sampled as (
    select instance, request_kind as kind, sampled_at, in_flight as used,
        if(request_kind = 'readOnly', $reads::bigint, $writes::bigint) as most
    from in_flight_over_time
    where in_flight is not null and cluster = $cluster
)
select
    kind, any_value(most) as limit_of_one, max(used) as peak, count(*) as samples,
    count(*) filter (most > 0 and used >= most) as samples_at_limit,
    bool_or(instance is null) as summed
from sampled
where {OVERLOAD}
group by kind
order by kind desc
"""
# Levels lend to each other, and exempt requests take seats of nobody: only the sum has a limit.
SEATS = """
with sampled as (
    select instance, sampled_at, sum(seats_in_use) as used
    from seats_over_time
    where priority_level <> 'exempt' and cluster = $cluster
    group by all
    having used is not null
)
select
    'seats' as kind, $seats::bigint as limit_of_one, max(used) as peak, count(*) as samples,
    count(*) filter ($seats > 0 and used >= $seats) as samples_at_limit,
    bool_or(instance is null) as summed
from sampled
where {OVERLOAD}
having samples > 0
"""
OVERLOAD = """exists (
    from incident
    where incident.cluster = $cluster and time_window = 'overload'
        and sampled_at >= begins_at and sampled_at < ends_at
)"""


@dataclass(frozen=True)
class Reached:
    """How much of a limit was used in the samples of the overload.

    kind: readOnly, mutating or seats; limit_of_one: of one API server, 0: none; summed: the metrics
    are a sum over API servers, so that the limit of one of them says little.
    """

    kind: str
    limit_of_one: int
    peak: float
    samples: int
    samples_at_limit: int
    summed: bool

    @property
    def share(self) -> float:
        """Part of the samples at the limit."""
        return self.samples_at_limit / self.samples

    @property
    def facts(self) -> dict[str, Any]:
        """Plain data, for machines."""
        return asdict(self) | {"share_at_limit": self.share}


def in_flight(inquiry: Inquiry, known: Effective) -> list[Reached]:
    """Look up requests in flight against the two limits; empty without metrics."""
    rows = inquiry.rows(
        "requests in flight against their limits",
        IN_FLIGHT.replace("{OVERLOAD}", OVERLOAD),
        cluster=known.cluster,
        reads=known.max_requests_inflight,
        writes=known.max_mutating_requests_inflight,
    )
    return [Reached(**row) for row in rows]


def seats(inquiry: Inquiry, known: Effective) -> Reached | None:
    """Look up the seats in use of all levels against their sum; None without metrics."""
    row = inquiry.row(
        "seats in use against all seats",
        SEATS.replace("{OVERLOAD}", OVERLOAD),
        cluster=known.cluster,
        seats=known.server.limit,
    )
    return Reached(**row) if row else None


def limits_told(known: Effective) -> str:
    """Name both limits, and how they are known."""
    told = {setting.name: setting for setting in known.settings}
    reads, writes = told[READS], told[WRITES]
    if reads.origin == writes.origin:
        return f"{_flag(reads)} and {_flag(writes)} ({ORIGINS[reads.origin]})"
    return " and ".join(f"{_flag(one)} ({ORIGINS[one.origin]})" for one in (reads, writes))


def how_full(reached: list[Reached]) -> str:
    """Say in a clause how full the limits in flight were."""
    if not reached:
        return "no metrics tell how full they were"
    if not any(one.samples_at_limit for one in reached):
        peaks = [f"{number(one.peak)} {_kind(one.kind)} requests" for one in reached]
        return f"neither was reached, with at most {' and '.join(peaks)} at once"
    shares = [f"{percent(one.share)} ({_kind(one.kind)})" for one in reached]
    return f"they were full in {' and '.join(shares)} of the samples"


def _flag(setting: Setting) -> str:
    return f"{setting.name}={setting.value}"


def _kind(kind: str) -> str:
    return "read-only" if kind == "readOnly" else kind
