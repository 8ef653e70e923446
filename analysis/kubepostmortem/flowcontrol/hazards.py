"""What a fence costs, and what it cannot do, in sentences with numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kubepostmortem.flowcontrol.allocation import Limits, nominal_limits
from kubepostmortem.flowcontrol.configuration import Configuration
from kubepostmortem.flowcontrol.fence import Fence, fenced
from kubepostmortem.flowcontrol.fence_reasons import ISSUE
from kubepostmortem.flowcontrol.objects import PriorityLevel


def filled_by_one_flow(level: PriorityLevel, limit: int, width: int) -> bool:
    """Tell whether one flow of such wide requests may hold all seats of a level.

    limit and width: in seats. A flow may have a request in each queue of its hand, which is what
    kubernetes issue 115409 warns of.
    """
    return level.queuing is not None and level.queuing.hand_size * width >= limit


def hazards(
    built: Fence, configuration: Configuration, server_limit: int, widths: Sequence[int]
) -> tuple[str, ...]:
    """Say what to weigh before a fence is applied.

    configuration: without the fence; widths: seats of the culprit's requests, as estimated without
    a bound of their level; none: not known.
    """
    before = nominal_limits(server_limit, configuration.priority_levels.values())
    after = nominal_limits(server_limit, fenced(configuration, built).priority_levels.values())
    name = built.priority_level.name
    return (
        *_of_width(built, after[name], max(widths, default=1)),
        *_of_waiting(built),
        *_of_others(before, {known: limits for known, limits in after.items() if known != name}),
        "Seats bound how many requests run at once, not how much CPU, memory or etcd reads they"
        " take: if the server is slow with these seats in use, lower them.",
    )


def _of_width(built: Fence, limits: Limits, widest: int) -> Iterator[str]:
    queuing = built.priority_level.queuing
    # Where there is one queue there is no other flow that one could starve.
    several = queuing is not None and queuing.queues > 1
    if queuing and several and filled_by_one_flow(built.priority_level, limits.nominal, widest):
        yield (
            f"Hand size {queuing.hand_size} x {widest} seats of the widest request reaches the"
            f" {limits.nominal} seats of the level: one flow can fill it ({ISSUE})."
        )
    if 0 < limits.widest_request < widest:
        yield (
            f"Kubernetes 1.28 and later count its requests of up to {widest} seats as"
            f" {limits.widest_request}, the most for a level of {limits.nominal}: more of them run"
            " at once than their estimates say."
        )


def _of_waiting(built: Fence) -> Iterator[str]:
    if built.priority_level.queuing is not None:
        yield (
            "Requests wait up to 15 s, a quarter of the default time-out of 60 s; clients that give"
            " up sooner come again and wait anew."
        )


def _of_others(before: dict[str, Limits], after: dict[str, Limits]) -> Iterator[str]:
    changes = [
        f"{name} {limits.nominal} -> {after[name].nominal}"
        for name, limits in before.items()
        if limits.nominal != after[name].nominal
    ]
    if changes:
        yield f"Its shares take seats from other levels: {', '.join(changes)}."
