"""Who else a fence holds: requests of a log that match it, by component."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kubepostmortem.flowcontrol.classify import Call, Caller, Flow, classify
from kubepostmortem.flowcontrol.configuration import Configuration
from kubepostmortem.flowcontrol.fence import Fence, fenced

Asked = tuple[str, Caller, Call, int]  # component, who, what, how many requests


@dataclass(frozen=True, slots=True)
class Moved:
    """Requests of a component that a fence takes over, and where they go without it."""

    component: str
    requests: int
    flow_schema: str
    priority_level: str


def collateral(
    built: Fence, configuration: Configuration, asked: Iterable[Asked]
) -> tuple[Moved, ...]:
    """Return all that match a fence, the culprit among them, most requests first.

    configuration: without the fence; asked: each kind of request once, as often as it came.
    """
    inside = fenced(configuration, built)
    counts: dict[tuple[str, Flow], int] = {}
    for component, caller, call, requests in asked:
        if classify(inside, caller, call).flow_schema == built.flow_schema.name:
            left = classify(configuration, caller, call)
            known = component, Flow(left.flow_schema, left.priority_level)
            counts[known] = counts.get(known, 0) + requests
    moved = (
        Moved(component, requests, left.flow_schema, left.priority_level)
        for (component, left), requests in counts.items()
    )
    return tuple(sorted(moved, key=lambda row: (-row.requests, row.component, row.flow_schema)))
