"""Objects that an API server has where nobody changed them, by release."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kubepostmortem.assets import packaged
from kubepostmortem.flowcontrol.configuration import Configuration, in_force
from kubepostmortem.flowcontrol.objects import FlowSchema, PriorityLevel
from kubepostmortem.flowcontrol.parsing import Document, flow_schema, priority_level

MAX_REQUESTS_INFLIGHT = 400
MAX_MUTATING_REQUESTS_INFLIGHT = 200
SERVER_LIMIT = MAX_REQUESTS_INFLIGHT + MAX_MUTATING_REQUESTS_INFLIGHT  # seats
BORROWING_SINCE = 26


def default_priority_levels(minor: int) -> tuple[PriorityLevel, ...]:
    """Return the priority levels of Kubernetes 1.minor, exact from 1.26 on."""
    levels = tuple(priority_level(document) for document in _objects("priority_level", minor))
    return levels if minor >= BORROWING_SINCE else tuple(_without_borrowing(x) for x in levels)


def default_flow_schemas(minor: int) -> tuple[FlowSchema, ...]:
    """Return the FlowSchemas of Kubernetes 1.minor."""
    return tuple(flow_schema(document) for document in _objects("flow_schema", minor))


def default_configuration(minor: int) -> Configuration:
    """Return what is in force in a new cluster of Kubernetes 1.minor."""
    return in_force(default_priority_levels(minor), default_flow_schemas(minor))


def _without_borrowing(level: PriorityLevel) -> PriorityLevel:
    return replace(level, lendable_percent=0, borrowing_limit_percent=0)


def _objects(kind: str, minor: int) -> Sequence[Document]:
    known = packaged("flowcontrol/default_objects.toml")[kind]
    return [x for x in known if x.get("since", 0) <= minor <= x.get("until", minor)]
