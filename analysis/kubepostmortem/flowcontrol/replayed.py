"""What became of the requests of a replay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kubepostmortem.flowcontrol.allocation import Demand, Limits
from kubepostmortem.flowcontrol.flows import DealtFlow
from kubepostmortem.flowcontrol.preparation import Preparation
from kubepostmortem.flowcontrol.retry_after import retry_after_s
from kubepostmortem.flowcontrol.state import (
    ARRIVAL_R,
    BYPASS,
    DISPATCHED_NS,
    ENDED_NS,
    FINAL_SEATS,
    FLOW,
    INITIAL_SEATS,
    LINGER_NS,
    NOWHERE,
    OUTCOME,
    QUEUE_PLACE,
    RECEIVED_NS,
    SERVICE_NS,
    STOP_NS,
    Ints,
    Requests,
)


@dataclass(frozen=True)
class LevelLimits:
    """A priority level after an adjustment: its limits in seats, what it goes by.

    periodic: every 10 s; else because of the configuration.
    """

    ns: int
    priority_level: str
    limits: Limits
    current: int
    demand: Demand
    periodic: bool


@dataclass(frozen=True)
class Replayed:
    """What became of the requests, columns as in Offered; NOWHERE where there is nothing to tell.

    outcome: EXECUTED, BYPASS, QUEUE_FULL, CONCURRENCY_LIMIT or TIME_OUT of module state. flow:
    place in flows. queue: its place in the level. arrival_r: R at arrival in the queue, 1e-8
    seat-seconds. seats, linger_ns: as estimated. ended_ns: when it was done or refused. cut:
    deadline or client ended it early. retry_after_s: what refused clients are told, 0 for others.
    adjustments: in order of time, each of all levels.
    """

    outcome: NDArray[np.int32]
    flow: NDArray[np.int32]
    queue: NDArray[np.int32]
    initial_seats: NDArray[np.int32]
    final_seats: NDArray[np.int32]
    linger_ns: Ints
    arrival_r: Ints
    dispatched_ns: Ints
    ended_ns: Ints
    cut: NDArray[np.bool_]
    retry_after_s: Ints
    flows: tuple[DealtFlow, ...]
    adjustments: tuple[LevelLimits, ...]


def replayed(
    preparation: Preparation, requests: Requests, adjustments: tuple[LevelLimits, ...]
) -> Replayed:
    """Sum up a replay that came to its end."""
    times, numbers, flows = requests.times, requests.numbers, preparation.flows.met
    _pass_by(requests, preparation.bypassing())
    executed = times[:, DISPATCHED_NS] != NOWHERE
    served_ns = times[:, DISPATCHED_NS] + times[:, SERVICE_NS]
    return Replayed(
        outcome=numbers[:, OUTCOME],
        flow=numbers[:, FLOW],
        queue=numbers[:, QUEUE_PLACE],
        initial_seats=numbers[:, INITIAL_SEATS],
        final_seats=numbers[:, FINAL_SEATS],
        linger_ns=times[:, LINGER_NS],
        arrival_r=times[:, ARRIVAL_R],
        dispatched_ns=times[:, DISPATCHED_NS],
        ended_ns=times[:, ENDED_NS],
        cut=executed & (times[:, ENDED_NS] < served_ns),
        retry_after_s=_retry_after(requests, flows),
        flows=flows,
        adjustments=adjustments,
    )


def _pass_by(requests: Requests, passing: NDArray[np.bool_]) -> None:
    """Let requests execute that no level sees."""
    rows = requests.times[passing]
    took_ns = np.minimum(rows[:, SERVICE_NS], rows[:, STOP_NS])
    requests.times[passing, DISPATCHED_NS] = rows[:, RECEIVED_NS]
    requests.times[passing, ENDED_NS] = rows[:, RECEIVED_NS] + took_ns
    requests.numbers[passing, OUTCOME] = BYPASS


def _retry_after(requests: Requests, flows: Sequence[DealtFlow]) -> Ints:
    """Return what each refused client is told, by level in the order of refusal."""
    told = np.zeros(len(requests.times), dtype=np.int64)
    refused = np.flatnonzero(requests.numbers[:, OUTCOME] > BYPASS)
    names = np.array([dealt.flow.priority_level for dealt in flows])
    levels = names[requests.numbers[refused, FLOW]]
    ended_ns = requests.times[:, ENDED_NS]
    for name in np.unique(levels):
        of_level = refused[levels == name]
        ordered = of_level[np.argsort(ended_ns[of_level], kind="stable")]
        told[ordered] = retry_after_s(ended_ns[ordered])
    return told
