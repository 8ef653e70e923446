"""Loads as a replay takes them, planted as values: who calls, for what, how long it takes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl

from kubepostmortem.flowcontrol.classify import Call, Caller
from kubepostmortem.flowcontrol.defaults import default_configuration
from kubepostmortem.flowcontrol.offered import Asked
from kubepostmortem.flowcontrol.preparation import Server
from kubepostmortem.flowcontrol.work import Stored, width_rules
from kubepostmortem.simulation.effective import Effective
from kubepostmortem.simulation.load import Load
from planted import BEGIN

SECOND = 1_000_000_000
BEGIN_NS = int((BEGIN - datetime(1970, 1, 1)).total_seconds()) * SECOND
MINOR = 33
SERVER = Server(600, width_rules(MINOR), {"pods": Stored(1000)})
AGENT, NODE, PERSON, MASTER = range(4)
CALLERS = (
    Caller(
        "system:serviceaccount:telemetry:otel-agent",
        (
            "system:serviceaccounts",
            "system:serviceaccounts:telemetry",
            "system:authenticated",
        ),
    ),
    Caller("system:node:node-1", ("system:nodes", "system:authenticated")),
    Caller("alice@example.com", ("oidc:sre", "system:authenticated")),
    Caller("root", ("system:masters", "system:authenticated")),
)
LIST, RENEW, GET, WATCH, EXEC = range(5)
ASKED = (
    Asked(Call("list", "", "pods")),
    Asked(Call("update", "coordination.k8s.io", "leases", "", "kube-node-lease")),
    Asked(Call("get", "", "pods", "", "shop")),
    Asked(Call("watch", "", "pods"), "?resourceVersion=1"),
    Asked(Call("create", "", "pods", "exec", "shop")),
)
SCHEMA = {
    "apiserver": pl.String,
    "received_ns": pl.Int64,
    "caller_group": pl.String,
    "component": pl.String,
    "caller": pl.Int64,
    "call": pl.Int64,
    "client": pl.UInt64,
    "streams": pl.Boolean,
    "code": pl.Int32,
    "latency_ms": pl.Float64,
    "service_ms": pl.Float64,
    "base_ms": pl.Float64,
    "watch_ms": pl.Float64,
}

Row = dict[str, Any]


def row(seconds: float, group: str = "others", took_ms: float | None = 10.0, **fields: Any) -> Row:
    """One call, answered in the log as long after it was asked as it takes in quiet times."""
    call = fields.get("call", GET)
    streams = call in (WATCH, EXEC)
    return {
        "apiserver": "",
        "received_ns": BEGIN_NS + round(seconds * SECOND),
        "caller_group": group,
        "component": "agent",
        "caller": PERSON,
        "call": call,
        "client": 1,
        "streams": streams,
        "code": 200,
        "latency_ms": None if streams else took_ms,
        "service_ms": took_ms,
        "base_ms": took_ms or 1.0,
        "watch_ms": 1_000.0 if call == WATCH else None,
    } | fields


def load(*rows: Row) -> Load:
    """Calls in the order of time."""
    calls = pl.DataFrame(rows, schema=SCHEMA).sort("received_ns", maintain_order=True)
    return Load(calls, CALLERS, ASKED, complete=True)


def arrivals(rate: float, begins: float, ends: float, seed: int = 1) -> list[float]:
    """Times at random, so many a second on average: a Poisson process."""
    random = np.random.default_rng(seed)
    count = int(random.poisson(rate * (ends - begins)))
    times: Iterable[float] = np.sort(random.uniform(begins, ends, count))
    return [float(time) for time in times]


def known(
    *, apf: bool = True, reads: int = 400, writes: int = 200, minor: int = MINOR
) -> Effective:
    """What is in force in a new cluster."""
    server = Server(reads + writes, width_rules(minor), SERVER.stored)
    objects = default_configuration(minor)
    return Effective("prod", apf, reads, writes, minor, objects, server, {}, (), ())
