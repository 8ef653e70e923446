"""CPU time and peak memory of replays of many planted requests, each in a process of its own.

The requests are like those of a busy cluster of Kubernetes 1.33 with its default objects: nodes,
controllers, workloads and administrators, near to what the seats of the server can do. Prints
seconds; asserts nothing, since machines are noisy.
"""

from __future__ import annotations

import argparse
import resource
from collections.abc import Callable
from multiprocessing import get_context
from time import perf_counter, process_time

import numpy as np

from kubepostmortem.flowcontrol.classify import Call, Caller
from kubepostmortem.flowcontrol.defaults import default_configuration
from kubepostmortem.flowcontrol.offered import Asked, Offered
from kubepostmortem.flowcontrol.preparation import Server
from kubepostmortem.flowcontrol.reacting import Behaviour, react
from kubepostmortem.flowcontrol.replay import Change, replay
from kubepostmortem.flowcontrol.state import EXECUTED, NEVER, NOWHERE
from kubepostmortem.flowcontrol.work import Stored, width_rules

MINOR = 33
SERVER = Server(600, width_rules(MINOR), {"pods": Stored(5_000), "nodes": Stored(2_000)})
CALLERS = 10_000
RESOURCES = ("pods", "nodes", "configmaps", "secrets", "endpoints", "events", "services", "leases")
VERBS = ("get", "get", "list", "update", "patch", "create")
WATCHED = ("pods", "nodes")
WATCH_NS = 200_000_000  # so that few dozens go on at once, as of replicas of controllers
SERVICE_NS = 40_000_000  # in the mean
PER_SECOND = 3_500  # arrivals, so that the busiest level turns some away
CORES = 160
TRIES = 10
Load = Callable[[int], tuple[int, int]]


def main() -> None:
    """Replay, and replay with clients that react; print what each takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--millions", type=float, default=10, help="requests of the plain replay")
    parser.add_argument(
        "--reacting", type=float, default=1, help="millions, with clients that react"
    )
    arguments = parser.parse_args()
    print("| what | million requests | refused | s | CPU s | peak MiB |\n|---|---|---|---|---|---|")
    for what, run, millions in (
        ("replay", plain, arguments.millions),
        (f"replay, clients react, {CORES} cores", reacting, arguments.reacting),
    ):
        with get_context("spawn").Pool(1) as alone:
            alone.apply(measure, (what, run, round(millions * 1e6)))


def measure(what: str, run: Callable[[Offered], float], count: int) -> None:
    """Print what a replay takes; planting and loading what is compiled do not count."""
    run(planted(1_000))
    offered = planted(count)
    wall, cpu = perf_counter(), process_time()
    refused = run(offered)
    wall, cpu = perf_counter() - wall, process_time() - cpu
    mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    row = (what, f"{count / 1e6:g}", f"{refused:.2%}", f"{wall:.1f}", f"{cpu:.1f}", f"{mib:,.0f}")
    print(f"| {' | '.join(row)} |", flush=True)


def plain(offered: Offered) -> float:
    """Replay; return which part was refused."""
    changes = [Change(0, default_configuration(MINOR))]
    return float((replay(offered, SERVER, changes).outcome > EXECUTED).mean())


def reacting(offered: Offered) -> float:
    """Let clients react; return how many refusals there were for one request."""
    count = len(offered)
    behaviour = Behaviour(
        tries=np.full(count, TRIES),
        lag_ns=np.zeros(count, dtype=np.int64),
        patience_ns=np.full(count, NEVER),
        next_poll=np.full(count, NOWHERE),
        arrivals=count,
    )
    reacted = react(offered, SERVER, default_configuration(MINOR), behaviour, CORES)
    return float(reacted.refused.sum() / count)


def planted(count: int) -> Offered:
    """Return requests of few busy callers and many quiet ones."""
    dice = np.random.default_rng(1)
    calls = [_asked(verb, resource) for verb in VERBS for resource in RESOURCES]
    calls += [_asked("watch", resource) for resource in WATCHED]
    gaps = dice.exponential(1e9 / PER_SECOND, count)
    return Offered(
        received_ns=np.cumsum(gaps).astype(np.int64),
        caller=(CALLERS * dice.random(count) ** 2).astype(np.int32),
        call=dice.integers(0, len(calls), count, dtype=np.int32),
        service_ns=dice.exponential(SERVICE_NS, count).astype(np.int64),
        watch_ns=np.full(count, WATCH_NS),
        hang_up_ns=np.zeros(count, dtype=np.int64),
        callers=tuple(_caller(number) for number in range(CALLERS)),
        calls=tuple(calls),
    )


def _asked(verb: str, resource: str) -> Asked:
    path = f"/api/v1/namespaces/a/{resource}"
    if verb in ("list", "watch"):
        query = "watch=true&resourceVersion=7" if verb == "watch" else "limit=500"
        return Asked(Call(verb, "", resource, "", "a"), f"{path}?{query}")
    return Asked(Call(verb, "", resource, "", "a", "x"), f"{path}/x")


def _caller(number: int) -> Caller:
    everyone = ("system:authenticated",)
    if number % 2:
        return Caller(f"system:node:{number}", ("system:nodes", *everyone))
    if number % 100 == 0:
        return Caller(f"system:serviceaccount:kube-system:{number}", (
            "system:serviceaccounts", "system:serviceaccounts:kube-system", *everyone,
        ))  # fmt: skip
    account = ("system:serviceaccounts", "system:serviceaccounts:a", *everyone)
    return Caller(f"system:serviceaccount:a:{number}", account)


if __name__ == "__main__":
    main()
