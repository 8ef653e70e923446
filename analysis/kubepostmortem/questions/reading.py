"""How some calls are made: the shape of the requests, and the pace of each client."""

from __future__ import annotations

from dataclasses import dataclass

from kubepostmortem.questions.calls import CALLS, PAIRS, Calls
from kubepostmortem.questions.question import Inquiry

REGULAR = 0.5  # coefficient of variation of a client with a clock; of pure chance it is 1

SHAPES = f"""
with shapes as (
    select
        coalesce(resource, uri_path) as resource,
        mode(concat_ws('.', resource, nullif(api_group, ''))) as stored_as,
        count(*) as requests,
        count(*) / sum(count(*)) over () as share,
        count(*) filter (scope = 'cluster') / count(*) as cluster_wide,
        count(*) filter (scope = 'namespace') / count(*) as one_namespace,
        count(*) filter (scope = 'object') / count(*) as one_object,
        count(*) filter (page_limit is null and not continues) / count(*) as without_limit,
        mode(page_limit) as page_limit,
        count(*) filter (resource_version is null) / count(*) as without_resource_version,
        count(*) filter (resource_version = '0') / count(*) as any_resource_version,
        mode(resource_version_match) as resource_version_match,
        count(*) filter (field_selector is null and label_selector is null) / count(*)
            as without_selector,
        mode(field_selector) as field_selector,
        mode(label_selector) as label_selector,
        count(*) filter (code = 429) / count(*) as throttled,
        count(*) filter (code >= 500) / count(*) as failed,
        mode(uri_path) as example_path,
        min(audit_id) as example_audit_id
    {CALLS}
    group by 1
    order by requests desc, resource
    limit 10
),
stored as (
    -- The largest of several clusters. Exported lists have no time.
    select resource, max(objects) as objects from (
        select cluster, resource, coalesce(
            avg(objects) filter (counted_at >= begins_at and counted_at < ends_at),
            max(objects)) as objects
        from objects_count
        join incident using (cluster)
        where time_window = 'overload'
        group by all
    )
    group by resource
)
select shapes.* exclude (stored_as), objects
from shapes
left join stored on stored.resource = stored_as
order by requests desc, resource
"""

PACES = f"""
with {PAIRS},
answered as (
    select *, pause_s > 0.1 * interval_s as idle from pairs where code_before < 400
),
-- Who waits for answers longer than its interval calls again at once, which is no pace of its own.
paced as (
    select * from answered qualify idle or avg(idle::integer) over (partition by resource) < 0.1
),
by_client as (
    -- Rounded: sums of fractions differ in their last digits with the order of the rows.
    select resource, round(stddev_samp(interval_s) / nullif(avg(interval_s), 0), 6) as variation
    from paced
    group by cluster, client, resource
    having count(*) >= 3
)
select
    resource,
    count(distinct (cluster, client)) as clients,
    count(*) as intervals,
    median(interval_s) as interval_s,
    quantile_cont(interval_s, 0.1) as interval_p10_s,
    quantile_cont(interval_s, 0.25) as interval_p25_s,
    quantile_cont(interval_s, 0.75) as interval_p75_s,
    quantile_cont(interval_s, 0.9) as interval_p90_s,
    (select median(variation) from by_client where by_client.resource = paced.resource)
        as variation,
    (select avg((not idle)::integer) from answered where answered.resource = paced.resource)
        as back_to_back
from paced
group by resource
order by intervals desc, resource
limit 10
"""


@dataclass(frozen=True)
class Shape:
    """How a resource is asked for; parts of its requests, and the most usual values.

    without_resource_version: the most recent state is asked for; any_resource_version: that of the
    cache (resourceVersion=0); objects: how many are stored, None where nobody counted.
    """

    resource: str | None
    requests: int
    share: float
    cluster_wide: float
    one_namespace: float
    one_object: float
    without_limit: float
    page_limit: int | None
    without_resource_version: float
    any_resource_version: float
    resource_version_match: str | None
    without_selector: float
    field_selector: str | None
    label_selector: str | None
    throttled: float
    failed: float
    example_path: str | None
    example_audit_id: str | None
    objects: float | None


@dataclass(frozen=True)
class Pace:
    """How often one client asks for a resource, seconds: median and percentiles.

    Times between two requests of which the first was answered. variation: their standard deviation
    over their mean, median over clients (None: no client called four times); back_to_back: part of
    them with hardly a pause, which the latency of the API server lengthens.
    """

    resource: str | None
    clients: int
    intervals: int
    interval_s: float
    interval_p10_s: float
    interval_p25_s: float
    interval_p75_s: float
    interval_p90_s: float
    variation: float | None
    back_to_back: float

    @property
    def jitter(self) -> float | None:
        """Half of the spread from the 10th to the 90th percentile, as a part of the median."""
        spread = self.interval_p90_s - self.interval_p10_s
        return spread / 2 / self.interval_s if self.interval_s else None

    @property
    def periodic(self) -> bool | None:
        """Whether clients call by the clock rather than by chance; None: unknown."""
        return None if self.variation is None else self.variation < REGULAR


def shapes(inquiry: Inquiry, calls: Calls) -> tuple[Shape, ...]:
    """Return the shapes of the ten resources (or paths) with most of the calls."""
    rows = inquiry.rows("shape of the requests by resource", SHAPES, **calls.parameters)
    return tuple(Shape(**row) for row in rows)


def paces(inquiry: Inquiry, calls: Calls) -> tuple[Pace, ...]:
    """Return the pace of a client for the ten resources with most answers."""
    rows = inquiry.rows("pace of a client by resource", PACES, **calls.parameters)
    return tuple(Pace(**row) for row in rows)
