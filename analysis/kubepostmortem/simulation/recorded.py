"""What the log shows of the overload: what a replay of the policy in force has to reproduce."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from kubepostmortem.simulation.asking import Asks
from kubepostmortem.simulation.load import GROUP, OR_CULPRIT, SPAN, Suspect, suspected

# What flow control sees of all requests, but for those that stream: they are not limited for long.
LIMITED = """is_long_running(verb, subresource) is not true
    and (code is distinct from 401 or username is not null)"""

CALLER_GROUP = """caller_group(username, user_groups, component, kind, verb, resource,
            subresource)"""

EXECUTED = f"""
with tries as (
    select
        *,
        {OR_CULPRIT.format(CALLER_GROUP)} as caller_group,
        greatest(0, latency_ms - coalesce(apf_queue_wait_ms, 0)) as service_ms
    from requests
    where {SPAN} and {LIMITED}
)
select
    caller_group,
    count(*) as tries,
    count(*) filter (code = 429) as refused,
    count(*) filter (code <> 429 and code < 500) as answered,
    quantile_cont(service_ms, 0.5) filter (code < 400) as p50_ms,
    quantile_cont(service_ms, 0.9) filter (code < 400) as p90_ms
from tries
group by all
order by all
"""

# A call counts as answered where any of its tries was, in time or not: chains are not followed.
CALLED = f"""
select {GROUP} as caller_group, count(*) as calls
from client_calls
where {SPAN} and is_long_running(verb, subresource) is not true
group by all
order by all
"""

# In-flight limits always tell clients to wait for 1 s; what priority levels tell is not logged.
LAG = f"""
select median(greatest(pause_s - 1, 0)) as lag_s
from retries
where {SPAN} and code_before = 429 and not at_usual_pace
having count(*) >= 20
"""

EXECUTING = f"""
select
    epoch_us(time_bucket(interval 10 second, received_at)) * 1000 as interval_ns,
    sum(greatest(0, latency_ms - coalesce(apf_queue_wait_ms, 0))) / 1e4 as executing
from requests
where {SPAN} and {LIMITED} and code is distinct from 429
group by all
order by all
"""


@dataclass(frozen=True)
class Recorded:
    """Tries, refusals, answers and service times by group; requests executing, over time."""

    by_group: pl.DataFrame
    executing: pl.DataFrame

    @property
    def refused_share(self) -> float:
        """Part of all tries that was answered 429."""
        tries = sum(self.by_group["tries"].to_list())
        return float(sum(self.by_group["refused"].to_list()) / tries) if tries else 0.0


def recorded(
    asks: Asks, cluster: str, begins_at: str, ends_at: str, suspect: Suspect | None
) -> Recorded:
    """Sum up the requests of a span of time, ISO times."""
    span = {"cluster": cluster, "begins_at": begins_at, "ends_at": ends_at}
    asked = {**span, **suspected(suspect)}
    by_group = asks.frame("refusals and service times by group", EXECUTED, **asked).join(
        asks.frame("calls by group", CALLED, **asked), on="caller_group", how="left"
    )
    executing = asks.frame("requests executing at a time", EXECUTING, **span)
    return Recorded(by_group, executing)


def lag_of_retries(asks: Asks, cluster: str, begins_at: str, ends_at: str) -> float:
    """Return by how many seconds later than told clients ask again, under in-flight limits."""
    span = {"cluster": cluster, "begins_at": begins_at, "ends_at": ends_at}
    known = asks.frame("pauses before retries", LAG, **span)["lag_s"].to_list()
    return float(known[0]) if known else 0.0
