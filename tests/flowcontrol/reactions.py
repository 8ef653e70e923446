"""Planted loads whose clients react, and in-flight limits or one level that serves them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from kubepostmortem.flowcontrol.classify import Call, Caller
from kubepostmortem.flowcontrol.configuration import Configuration, in_force
from kubepostmortem.flowcontrol.in_flight import InFlightLimits
from kubepostmortem.flowcontrol.objects import (
    FlowSchema,
    NonResourceRule,
    PriorityLevel,
    Queuing,
    ResourceRule,
    Rule,
    Subject,
)
from kubepostmortem.flowcontrol.offered import Asked, Offered
from kubepostmortem.flowcontrol.preparation import Server
from kubepostmortem.flowcontrol.reacting import Behaviour, Reacted, react
from kubepostmortem.flowcontrol.state import NEVER, NOWHERE
from kubepostmortem.flowcontrol.work import Stored, width_rules

MILLISECOND = 1_000_000
SECOND = 1_000_000_000
MANY_CORES = 1e6  # nobody is slowed
USERS = tuple(Caller(f"user-{n}", ("system:authenticated",)) for n in range(6))
MASTER = Caller("root", ("system:masters", "system:authenticated"))
CALLERS = (*USERS, MASTER)
POD = "/api/v1/namespaces/a/pods/p"
GET = Asked(Call("get", "", "pods", "", "a", "p"), POD)
LIST = Asked(Call("list", "", "pods"), "/api/v1/pods")
WATCH = Asked(Call("watch", "", "pods"), "/api/v1/pods?watch=true&resourceVersion=7")
PATCH = Asked(Call("patch", "", "pods", "", "a", "p"), POD)
LOG = Asked(Call("get", "", "pods", "log", "a", "p"), f"{POD}/log")
HURRIED = Asked(Call("get", "", "pods", "", "a", "p"), f"{POD}?timeout=300ms")
CALLS = (GET, LIST, WATCH, PATCH, LOG, HURRIED)
SERVER = Server(12, width_rules(33), {"pods": Stored(350)})
EVERYTHING = ResourceRule(("*",), ("*",), ("*",), cluster_scope=True, namespaces=("*",))
EVERY_PATH = NonResourceRule(("*",), ("*",))
NO_LIMITS = InFlightLimits(0, 0)


def one_level(queuing: Queuing | None) -> Configuration:
    """A level that all but masters share, with nearly all seats."""
    level = PriorityLevel("all", exempt=False, shares=1_000_000, queuing=queuing)
    rule = Rule((Subject("Group", "*"),), (EVERYTHING,), (EVERY_PATH,))
    return in_force([level], [FlowSchema("all", "all", 5, "ByUser", (rule,))])


def load(
    received_ns: ArrayLike,
    service_ns: ArrayLike,
    calls: ArrayLike = 0,
    callers: ArrayLike | None = None,
    hang_up_ns: ArrayLike = 0,
) -> Offered:
    """Requests, of the users in turn where nobody says who calls."""
    received = np.asarray(received_ns, dtype=np.int64)
    count = len(received)

    def column(values: ArrayLike) -> np.ndarray:
        return np.broadcast_to(np.asarray(values, dtype=np.int64), count).copy()

    return Offered(
        received_ns=received,
        caller=column(np.arange(count) % len(USERS) if callers is None else callers),
        call=column(calls),
        service_ns=column(service_ns),
        watch_ns=column(SECOND),
        hang_up_ns=column(hang_up_ns),
        callers=CALLERS,
        calls=CALLS,
    )


def behaviour(
    offered: Offered,
    tries: int = 0,
    patience_ns: int = NEVER,
    next_poll: Sequence[int] | None = None,
    arrivals: int | None = None,
    lag_ns: int = 0,
) -> Behaviour:
    """Clients that are all alike."""
    count = len(offered)
    return Behaviour(
        tries=np.full(count, tries),
        lag_ns=np.full(count, lag_ns),
        patience_ns=np.full(count, patience_ns),
        next_poll=np.full(count, NOWHERE) if next_poll is None else np.array(next_poll),
        arrivals=count if arrivals is None else arrivals,
    )


def asked_once(
    offered: Offered, policy: Configuration | InFlightLimits, cores: float = 0.0
) -> Reacted:
    """Replay clients that are patient and take what they get."""
    return react(offered, SERVER, policy, behaviour(offered), cores)


@st.composite
def loads(draw: st.DrawFn, *, hasty: bool = True) -> Offered:
    """Up to 120 requests of any kind, of anybody; hasty ones hang up or have a short deadline."""
    gaps = draw(st.lists(st.integers(0, 40 * MILLISECOND), min_size=1, max_size=120))
    count = len(gaps)
    kinds = [n for n, asked in enumerate(CALLS) if hasty or asked != HURRIED]
    hang_ups = st.just(0) | st.integers(1, SECOND) if hasty else st.just(0)

    def column(values: st.SearchStrategy[int]) -> list[int]:
        return draw(st.lists(values, min_size=count, max_size=count))

    return load(
        np.cumsum(gaps),
        column(st.integers(0, 400 * MILLISECOND)),
        column(st.sampled_from(kinds)),
        column(st.integers(0, len(CALLERS) - 1)),
        column(hang_ups),
    )


QUEUINGS = st.none() | st.builds(
    Queuing, st.sampled_from([2, 4, 8]), st.integers(1, 2), st.integers(1, 6)
)
LIMITS = st.builds(InFlightLimits, st.integers(0, 5), st.integers(0, 5))
POLICIES = QUEUINGS.map(one_level) | LIMITS
