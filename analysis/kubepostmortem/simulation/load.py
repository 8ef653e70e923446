"""The load of a recorded incident, as the replay of flow control takes it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import numpy as np
import polars as pl
from numpy.typing import NDArray

from kubepostmortem.flowcontrol.classify import Caller
from kubepostmortem.flowcontrol.offered import Asked
from kubepostmortem.simulation.asking import Asks
from kubepostmortem.simulation.callers import caller_of
from kubepostmortem.simulation.classified import call_of

MOST_CALLS = 5_000_000

CALLER = "hash(caller, caller_groups)"
CALL = """hash(verb, api_group, resource, subresource, namespace, path, page_limit, continues,
        resource_version, resource_version_match, field_selector, selects_labels,
        send_initial_events)"""

# What the culprit calls is a group of its own, whoever asks; else the group that {} tells.
OR_CULPRIT = """if(($component::varchar is null or component = $component)
        and (len($verbs::varchar[]) = 0 or list_contains($verbs::varchar[], verb))
        and (len($resources::varchar[]) = 0
            or list_contains($resources::varchar[], coalesce(resource, '')))
        and $fenced::boolean, 'culprit', {})"""
GROUP = OR_CULPRIT.format("caller_group")

SPAN = """cluster = $cluster
    and received_at >= $begins_at::timestamp and received_at < $ends_at::timestamp"""

CALLS = f"""
select
    apiserver, epoch_us(received_at) * 1000 as received_ns,
    {GROUP} as caller_group, component, {CALLER} as caller, {CALL} as call,
    hash(client, {CALL}) as client,
    coalesce(is_long_running(verb, subresource), false) as streams, code,
    if(streams, null, latency_ms) as latency_ms,
    service_ms, base_ms, watch_ms
from client_calls
where {SPAN}
order by received_at, audit_id
limit {MOST_CALLS}
"""

CALLERS = f"""
select {CALLER} as key, any_value(caller) as caller, any_value(caller_groups) as caller_groups
from client_calls where {SPAN} group by key order by key
"""

ASKED = f"""
select
    {CALL} as key, any_value(columns(* exclude (cluster, apiserver, received_at, audit_id,
        component, caller, caller_groups, caller_group, client, code, latency_ms, service_ms,
        base_ms, watch_ms)))
from client_calls where {SPAN} group by key order by key
"""


@dataclass(frozen=True)
class Suspect:
    """Whose calls are the culprit's: of a component, with these verbs and resources.

    component None: of any; no verbs or resources: all of them.
    """

    component: str | None
    verbs: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Load:
    """Calls in order of time, the columns of CALLS with caller and call as places.

    complete: whether the log holds no more calls in the span than a replay takes.
    """

    calls: pl.DataFrame
    callers: tuple[Caller, ...]
    asked: tuple[Asked, ...]
    complete: bool

    @property
    def until(self) -> datetime | None:
        """When the calls end, where there are more than a replay takes."""
        if self.complete:
            return None
        last_ns = int(self.calls["received_ns"].to_numpy().max())
        return datetime(1970, 1, 1) + timedelta(microseconds=last_ns // 1000)


def read_load(
    asks: Asks, cluster: str, begins_at: str, ends_at: str, suspect: Suspect | None
) -> Load:
    """Read the calls of a span of time, ISO times; those of the suspect are the culprit's."""
    span = {"cluster": cluster, "begins_at": begins_at, "ends_at": ends_at}
    calls = asks.frame("calls of clients to replay", CALLS, **span, **suspected(suspect))
    callers = asks.frame("who calls", CALLERS, **span)
    asked = asks.frame("what is asked for", ASKED, **span)
    return Load(
        calls.with_columns(
            caller=_places(callers["key"], calls["caller"]),
            call=_places(asked["key"], calls["call"]),
        ),
        tuple(caller_of(row["caller"], row["caller_groups"] or None) for row in callers.to_dicts()),
        tuple(_asked(row) for row in asked.to_dicts()),
        complete=len(calls) < MOST_CALLS,
    )


def suspected(suspect: Suspect | None) -> dict[str, Any]:
    """Return what statements over GROUP bind."""
    known = suspect or Suspect(None)
    return {
        "component": known.component,
        "verbs": list(known.verbs),
        "resources": list(known.resources),
        "fenced": suspect is not None,
    }


def _places(keys: pl.Series, values: pl.Series) -> pl.Series:
    places: NDArray[np.intp] = np.searchsorted(keys.to_numpy(), values.to_numpy())
    return pl.Series(places.astype(np.int64))


def _asked(row: dict[str, Any]) -> Asked:
    named = "one" if row["field_selector"] == "metadata.name=one" else ""
    return Asked(replace(call_of(row), name=named), _url(row))


def _url(row: dict[str, Any]) -> str:
    """Return a URL with the query parameters that flow control looks at."""
    query = {
        "limit": row["page_limit"],
        "continue": "x" if row["continues"] else None,
        "resourceVersion": row["resource_version"],
        "resourceVersionMatch": row["resource_version_match"],
        "fieldSelector": row["field_selector"],
        "labelSelector": "x" if row["selects_labels"] else None,
        "sendInitialEvents": "true" if row["send_initial_events"] else None,
    }
    return "?" + urlencode({name: value for name, value in query.items() if value is not None})
