"""A replay in which the clients react, and requests slow each other down.

A plain replay gives each request the service time that it is told, and asks once. Under another
policy other requests are refused, so clients ask again at other times, and the server has other
work: `react` replays that, for API Priority and Fairness and for in-flight limits alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kubepostmortem.flowcontrol.clients import Clients, new_clients
from kubepostmortem.flowcontrol.configuration import Configuration
from kubepostmortem.flowcontrol.defaults import BORROWING_SINCE
from kubepostmortem.flowcontrol.flows import DealtFlow
from kubepostmortem.flowcontrol.in_flight import InFlightLimits, InFlightServing
from kubepostmortem.flowcontrol.max_in_flight import POOLS
from kubepostmortem.flowcontrol.offered import Offered
from kubepostmortem.flowcontrol.preparation import Preparation, Server
from kubepostmortem.flowcontrol.processor import new_processor, no_processor
from kubepostmortem.flowcontrol.replay import Change, Serving
from kubepostmortem.flowcontrol.state import (
    ARRIVALS_END,
    BYPASS,
    DISPATCHED_NS,
    ENDED_NS,
    EXECUTED,
    FLOW,
    OUTCOME,
    PENDING,
    RECEIVED_NS,
    Ints,
)

DYNAMIC_RETRY_AFTER_SINCE = 28  # Kubernetes 1.28

Policy = Configuration | InFlightLimits


@dataclass(frozen=True)
class Behaviour:
    """How the clients of the requests go on, columns as in Offered.

    tries: how often more it asks where it is refused; lag_ns: by which it asks later than
    Retry-After tells; patience_ns: how long it goes on, NEVER: for
    good; next_poll: place of the request that the same client asks after this one, NOWHERE: none.
    Requests from place `arrivals` on are such later polls, their received_ns the earliest instant.
    """

    tries: Ints
    lag_ns: Ints
    patience_ns: Ints
    next_poll: Ints
    arrivals: int


@dataclass(frozen=True)
class Reacted:
    """What became of the requests, all tries together; columns as in Offered.

    asked: False for polls that were left out; answered: executed to the end; cut: deadline or
    client ended it, executing; refused: how often, by reason, see state.REASONS; waited_ns: in the
    queue, at the last try; took_ns: from the first try to the end; flow: place in flows.
    """

    asked: NDArray[np.bool_]
    answered: NDArray[np.bool_]
    cut: NDArray[np.bool_]
    refused: NDArray[np.int32]
    waited_ns: Ints
    started_ns: Ints
    ended_ns: Ints
    took_ns: Ints
    flow: NDArray[np.int32]
    flows: tuple[DealtFlow, ...]


def react(
    offered: Offered, server: Server, policy: Policy, behaviour: Behaviour, cores: float = 0.0
) -> Reacted:
    """Replay requests under a policy; cores: what they share, 0: service times are as offered."""
    preparation = Preparation(offered, server)
    serving: Serving = (
        InFlightServing(preparation, policy)
        if isinstance(policy, InFlightLimits)
        else Serving(preparation, borrows=server.rules.minor >= BORROWING_SINCE, reloads=True)
    )
    dynamic = server.rules.minor >= DYNAMIC_RETRY_AFTER_SINCE and serving.borrows
    configuration = policy if isinstance(policy, Configuration) else Configuration({}, ())
    levels = max(POOLS, len(configuration.priority_levels))
    clients = _clients(behaviour, levels, dynamic)
    if isinstance(serving, InFlightServing):
        serving.let_masters_pass(clients)
    serving.act(clients, new_processor(cores, len(offered)) if cores else no_processor())
    serving.state.clock[ARRIVALS_END] = behaviour.arrivals
    serving.serve([Change(0, configuration)], 0)
    return _reacted(serving, clients)


def _clients(behaviour: Behaviour, levels: int, dynamic: bool) -> Clients:
    clients = new_clients(len(behaviour.tries), levels, dynamic=dynamic)
    clients.tries[:], clients.lag_ns[:] = behaviour.tries, behaviour.lag_ns
    clients.patience_ns[:] = behaviour.patience_ns
    clients.next_poll[:] = behaviour.next_poll
    return clients


def _reacted(serving: Serving, clients: Clients) -> Reacted:
    times, numbers = serving.requests.times, serving.requests.numbers
    outcome, started_ns, ended_ns = numbers[:, OUTCOME], times[:, DISPATCHED_NS], times[:, ENDED_NS]
    executed = (outcome == EXECUTED) | (outcome == BYPASS)
    return Reacted(
        asked=outcome != PENDING,
        answered=executed & ~clients.cut,
        cut=executed & clients.cut,
        refused=clients.refused,
        waited_ns=np.where(executed, started_ns, ended_ns) - times[:, RECEIVED_NS],
        started_ns=started_ns,
        ended_ns=ended_ns,
        took_ns=ended_ns - clients.first_ns,
        flow=numbers[:, FLOW],
        flows=serving.preparation.flows.met,
    )
