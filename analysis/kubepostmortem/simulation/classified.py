"""Requests of a span by where flow control puts them, each way of asking classified once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from kubepostmortem.flowcontrol.classify import Call, Flow
from kubepostmortem.flowcontrol.configuration import Configuration
from kubepostmortem.flowcontrol.flows import Flows
from kubepostmortem.flowcontrol.long_running import bypasses
from kubepostmortem.flowcontrol.offered import Asked, Offered
from kubepostmortem.simulation.asking import Asks
from kubepostmortem.simulation.callers import caller_of

T = TypeVar("T")

LOGGED, CLASSIFIED = "API server log", "classified"
COLUMNS = {
    "component": pl.String,
    "flow_schema": pl.String,
    "priority_level": pl.String,
    "origin": pl.String,
    "requests": pl.Int64,
    "refused": pl.Int64,
}
KEYS = ("component", "flow_schema", "priority_level", "origin")

IS_LOGGED = """
select 1 from http_log where cluster = $cluster and priority_level is not null limit 1
"""
# 429 of an eviction is a disruption budget's, not flow control's. Failed authentication is answered
# 401 before flow control sees the request.
WAYS = """
select
    component, coalesce(impersonated_user, username) as username,
    if(impersonated_user is null, user_groups, null) as user_groups,
    verb, api_group, resource, subresource, namespace,
    if(resource is null, uri_path, null) as path,
    {flow},
    count(*) as requests,
    count(*) filter (code = 429 and subresource is distinct from 'eviction') as refused
from {relation}
where cluster = $cluster and received_at >= $begins_at and received_at < $ends_at
    and (username is not null or code is distinct from 401)
group by all
"""
FROM_LOG = WAYS.format(relation="requests_with_flow", flow="flow_schema, priority_level")
FROM_AUDIT = WAYS.format(
    relation="requests", flow="null::varchar as flow_schema, null::varchar as priority_level"
)


def classified(
    asks: Asks, configuration: Configuration, cluster: str, begins_at: datetime, ends_at: datetime
) -> pl.DataFrame:
    """Count requests by component and flow schema; columns: COLUMNS.

    origin: the API server's log where that tells it, else they are classified. refused: 429.
    Streams that pass by API Priority and Fairness are not among them, nor are requests whose
    authentication failed.
    """
    logged = asks.frame(
        "whether the API server's log tells flow schemas", IS_LOGGED, cluster=cluster
    )
    ways = asks.frame(
        "ways of asking, and how often",
        FROM_AUDIT if logged.is_empty() else FROM_LOG,
        cluster=cluster,
        begins_at=begins_at,
        ends_at=ends_at,
    ).to_dicts()
    calls = [(way, call) for way in ways if not bypasses(call := call_of(way))]
    flows = _flows(configuration, calls)
    placed = [_placed(way, flow) for (way, _), flow in zip(calls, flows, strict=True)]
    counted = pl.DataFrame(placed, schema=COLUMNS)
    return counted.group_by(KEYS).agg(pl.sum("requests"), pl.sum("refused")).sort(KEYS)


def call_of(way: Mapping[str, Any]) -> Call:
    """Return what a row asks for, with columns like those of requests; path: of non-resources."""
    return Call(
        verb=way["verb"] or "",
        api_group=way["api_group"] or "",
        resource=way["resource"] or "",
        subresource=way["subresource"] or "",
        namespace=way["namespace"] or "",
        path=way["path"] or "",
    )


def _placed(way: Mapping[str, Any], flow: Flow) -> dict[str, Any]:
    known = way["priority_level"] is not None
    return {
        "component": way["component"],
        "flow_schema": way["flow_schema"] if known else flow.flow_schema,
        "priority_level": way["priority_level"] if known else flow.priority_level,
        "origin": LOGGED if known else CLASSIFIED,
        "requests": way["requests"],
        "refused": way["refused"],
    }


def _flows(
    configuration: Configuration, calls: Sequence[tuple[Mapping[str, Any], Call]]
) -> list[Flow]:
    """Classify ways of asking; callers that look alike to the rules are classified together."""
    if not calls:
        return []
    who, caller = _numbered([caller_of(w["username"], w["user_groups"]) for w, _ in calls])
    what, call = _numbered([Asked(call) for _, call in calls])
    none = np.zeros(len(calls), dtype=np.int64)
    flows = Flows(Offered(none, caller, call, none, none, none, tuple(who), tuple(what)))
    numbers = flows.of(configuration, slice(0, len(calls)))
    met = flows.met
    return [met[number].flow for number in numbers.tolist()]


def _numbered(values: Iterable[T]) -> tuple[list[T], NDArray[np.int64]]:
    """Return the different values in order of occurrence, and the place of each value in them."""
    numbers: dict[T, int] = {}
    places = [numbers.setdefault(value, len(numbers)) for value in values]
    return list(numbers), np.array(places, dtype=np.int64)
