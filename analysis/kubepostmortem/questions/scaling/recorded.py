"""What the log and the metrics show of a cause, cluster by cluster, while most clients called."""

from __future__ import annotations

from typing import Any

import polars as pl

from kubepostmortem.questions.calls import Calls
from kubepostmortem.questions.question import Inquiry
from kubepostmortem.questions.scaling.plateau import CELL, FOLLOWING, PLATEAU, SAME_CELL
from kubepostmortem.simulation.polls import PROMPT_MS

BATCHES = 8  # spans of equal length, whose scatter tells how sure a mean is

PRESENCE = f"""
with {PLATEAU},
covered as (
    select cluster, count(distinct node) as covered
    from called
    group by cluster
),
servers as (
    select cluster, greatest(1, count(distinct nullif(apiserver, ''))) as servers
    from requests
    group by cluster
),
there as (
    select
        cluster, is_plateau, plateau_at, plateau_ends_at, plateau_s,
        count(*) as clients,
        -- Of clients that come and go, as many as were there at a time.
        sum(epoch(least(last_at, plateau_ends_at) - greatest(first_at, plateau_at)))
            / any_value(plateau_s) as present
    from lives
    join plateau using (cluster)
    where last_at >= plateau_at and first_at <= plateau_ends_at
    group by all
)
select there.*, covered, servers, nodes, nodes_from
from there
join covered using (cluster)
join servers using (cluster)
left join cluster_sizes using (cluster)
order by cluster
"""

# A period is told by rounds that follow one which was answered promptly.
CELLS = f"""
with {PLATEAU}, {FOLLOWING},
asked as (
    select
        {CELL},
        count(distinct client) filter (on_plateau) as clients,
        count(*) filter (on_plateau) as requests,
        count(*) filter (on_plateau and is_first_try) as first_tries,
        count(*) filter (on_plateau and code = 429) as refused,
        count(*) filter (prompt) as rounds,
        quantile_cont(gap_s, 0.25) filter (prompt) as gap_p25_s,
        median(gap_s) filter (prompt) as gap_s,
        quantile_cont(gap_s, 0.75) filter (prompt) as gap_p75_s,
        -- The error of a tenth percentile, which unit costs are: the root of 0.1 * 0.9 / n over the
        -- density there.
        0.3 / sqrt(count(service_ms)) * (quantile_cont(service_ms, 0.15)
            - quantile_cont(service_ms, 0.05)) / 0.1 as cost_error_ms
    from (
        select following.*,
            received_at >= plateau_at and received_at < plateau_ends_at as on_plateau,
            coalesce(code_before < 400 and took_before_ms < $prompt_ms and gap_s > 0, false)
                as prompt
        from following
        join plateau using (cluster)
    )
    group by all
)
select
    asked.*, coalesce(cells.seats, 1) as seats, cells.objects_read,
    coalesce(seats_known, false) as seats_known, unit_cost_ms
from asked
left join cell_seats as cells on {SAME_CELL.format("cells", "asked")}
left join unit_costs as costs on {SAME_CELL.format("costs", "asked")}
order by all
"""

LOADS = f"""
with {PLATEAU}, {FOLLOWING}
select
    following.cluster,
    least($batches - 1, floor(epoch(received_at - plateau_at) / plateau_s * $batches))::integer
        as batch,
    count(*) / any_value(plateau_s / $batches) as requests_per_s,
    coalesce(sum(took_ms) / 1e3, 0) / any_value(plateau_s / $batches) as request_seconds,
    coalesce(sum(service_ms) filter (code <> 429) / 1e3, 0)
        / any_value(plateau_s / $batches) as executing,
    coalesce(sum(service_ms * coalesce(cells.seats, 1)) filter (code <> 429) / 1e3, 0)
        / any_value(plateau_s / $batches) as seats
from following
join plateau
    on plateau.cluster = following.cluster
    and received_at >= plateau_at and received_at < plateau_ends_at
left join cell_seats as cells on {SAME_CELL.format("cells", "following")}
group by all
order by all
"""

CORES = f"""
with {PLATEAU},
parts as (
    select cluster, 'overload' as part, plateau_at as part_at, plateau_ends_at as part_ends_at
    from plateau
    union all
    select cluster, 'baseline', begins_at, ends_at from incident where time_window = 'baseline'
),
batches as (
    select cpu.cluster, part, instance,
        least($batches - 1, floor(epoch(sampled_at - part_at)
            / epoch(part_ends_at - part_at) * $batches))::integer as batch,
        sum(cpu_s) / sum(elapsed_s) as cores
    from apiserver_cpu as cpu
    join parts
        on parts.cluster = cpu.cluster
        -- A sample tells of the time before it.
        and sampled_at - to_seconds(elapsed_s) >= part_at and sampled_at < part_ends_at
    group by all
)
select cluster, part, batch, sum(cores) as cores
from batches
group by all
order by all
"""


OBJECTS = f"""
with {PLATEAU},
asked as (
    select distinct cluster, concat_ws('.', resource, nullif(api_group, '')) as resource
    from called
    where resource is not null
)
select cluster, sum(objects)::bigint as objects
from asked
join stored_objects using (cluster, resource)
group by cluster
order by cluster
"""


def presence(inquiry: Inquiry, calls: Calls) -> list[dict[str, Any]]:
    """Return a row per cluster where the cause calls: the plateau, clients, nodes, servers."""
    return inquiry.rows(
        "clients and nodes by cluster, on the plateau", PRESENCE, **calls.parameters
    )


def cells(inquiry: Inquiry, calls: Calls) -> pl.DataFrame:
    """Return a row per cluster and kind of call: clients, calls, pace, width and cost of one."""
    return inquiry.frame(
        "calls, pace and cost by cluster", CELLS, prompt_ms=PROMPT_MS, **calls.parameters
    )


def loads(inquiry: Inquiry, calls: Calls) -> pl.DataFrame:
    """Return a row per cluster and batch of the plateau: what the cause asked and held."""
    return inquiry.frame(
        "load of the plateau in batches", LOADS, batches=BATCHES, **calls.parameters
    )


def cores(inquiry: Inquiry, calls: Calls) -> pl.DataFrame:
    """Return a row per cluster, part (baseline, overload) and batch: cores that servers used."""
    return inquiry.frame(
        "cores of the API servers in batches", CORES, batches=BATCHES, **calls.parameters
    )


def objects(inquiry: Inquiry, calls: Calls) -> dict[str, int]:
    """Return by cluster how many objects are stored of the resources that the cause asks for."""
    rows = inquiry.rows("stored objects of what the cause asks for", OBJECTS, **calls.parameters)
    return {row["cluster"]: row["objects"] for row in rows}
