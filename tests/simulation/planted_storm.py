"""A storm whose truth is known: planted clients, and a server with 4 cores and in-flight limits.

Nodes renew leases, a controller writes, people look at pods. After five minutes the pods of a
telemetry agent begin to list all pods, which is twice the work that the server can do.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import polars as pl

from kubepostmortem.flowcontrol.in_flight import InFlightLimits
from kubepostmortem.flowcontrol.reacting import Reacted, react
from kubepostmortem.simulation.load import Suspect
from kubepostmortem.simulation.models import replay_all
from kubepostmortem.simulation.policies import Tried
from kubepostmortem.simulation.scenario import Scenario, scenarios
from kubepostmortem.store import Store
from planted import Event, event
from simulation.flow_control_evidence import flags
from simulation.planted_calls import ADMIN, CONTROLLER, LEASE, OTEL, windows
from simulation.planted_loads import (
    AGENT,
    BEGIN_NS,
    LIST,
    NODE,
    PERSON,
    RENEW,
    SECOND,
    SERVER,
    Row,
    arrivals,
    load,
    row,
)

QUIET_S, END_S = 300.0, 480.0
CORES = 4.0
READS, WRITES = 40, 20
NODES = 100
PODS = 200  # of the agent
PERIOD_S = 10.0
ROLLOUT_S = 60.0
SUSPECT = Suspect("otel-agent", ("list",), ("pods",))
BY_GROUP: dict[str, dict[str, Any]] = {
    "kubelet leases": LEASE,
    "controllers": CONTROLLER
    | {"verb": "update", "resource": "endpoints", "namespace": "shop", "name": "web"},
    "admins": ADMIN,
    "culprit": OTEL | {"verb": "list", "resource": "pods"},
}


def set_up(store: Store) -> None:
    """Windows and flags, before the log is read."""
    windows(store, QUIET_S, END_S)
    flags(
        store,
        enable_priority_and_fairness="false",
        max_requests_inflight=str(READS),
        max_mutating_requests_inflight=str(WRITES),
    )


def storm(*, culprit: bool = True) -> list[Event]:
    """The audit log of it, some 20 000 requests."""
    found, reacted = _truth(culprit)
    events = [e for place in range(len(found.calls)) for e in _events(found, reacted, place)]
    return sorted(events, key=lambda e: str(e["stageTimestamp"]))


def truth_under(what: Tried) -> pl.DataFrame:
    """Outcomes of the same clients under a policy, with what their requests really take."""
    one, _ = _truth(True)
    return replay_all([one], what, [one.base_ns], CORES)


@cache
def _truth(culprit: bool) -> tuple[Scenario, Reacted]:
    (one,) = scenarios(load(*_rows(culprit)))
    return one, react(
        one.offered(one.base_ns), SERVER, InFlightLimits(READS, WRITES), one.behaviour, CORES
    )


def _rows(culprit: bool) -> Iterator[Row]:
    for node in range(NODES):
        for n in range(int(END_S / 10)):
            yield row(n * 10 + node / 10, "kubelet leases", 5.0, call=RENEW, caller=NODE)
    for when in arrivals(10, 0, END_S, seed=1):
        yield row(when, "controllers", 10.0, call=RENEW, caller=NODE)
    for when in arrivals(2, 0, END_S, seed=2):
        yield row(when, "admins", 20.0, caller=PERSON)
    if culprit:
        random = np.random.default_rng(3)
        for pod, begins in enumerate(QUIET_S + random.uniform(0, ROLLOUT_S, PODS)):
            for when in np.arange(begins, END_S, PERIOD_S):
                asks = {"call": LIST, "caller": AGENT, "client": pod}
                yield row(when, "culprit", float(random.uniform(300, 500)), **asks)


def _events(found: Scenario, reacted: Reacted, place: int) -> Iterator[Event]:
    """Each try: refused at once and again a second later, until it was executed or given up."""
    if not reacted.asked[place]:
        return
    group, client = found.calls["caller_group"][place], int(found.calls["client"][place])
    first_s = (
        reacted.ended_ns[place] - reacted.took_ns[place] + found.begins_ns - BEGIN_NS
    ) / SECOND
    fields = BY_GROUP[group] | _own(group, place, client, first_s)
    refused = int(reacted.refused[place].sum())
    for n in range(refused):
        if first_s + n < END_S:
            yield event(f"s{place}-{n}", received=first_s + n, took=0.0002, code=429, **fields)
    began_s = first_s + refused
    if (reacted.answered[place] or reacted.cut[place]) and began_s < END_S:
        took_s = (reacted.ended_ns[place] - reacted.started_ns[place]) / SECOND
        code = 200 if reacted.answered[place] else 504
        yield event(f"s{place}-end", received=began_s, took=took_s, code=code, **fields)


def _own(group: str, place: int, client: int, first_s: float) -> dict[str, Any]:
    """What tells a client from others, and its object."""
    if group == "culprit":
        return {"pod": f"otel-agent-{client:05}", "ip": f"10.1.0.{client}"}
    if group == "kubelet leases":
        node = f"node-{round(first_s * 10) % NODES}"
        return {"user": f"system:node:{node}", "name": node}
    return {"name": f"web-{place}"}
