"""Policies that a recorded load is replayed under."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kubepostmortem.errors import UsageError
from kubepostmortem.flowcontrol.defaults import default_configuration
from kubepostmortem.flowcontrol.in_flight import InFlightLimits
from kubepostmortem.flowcontrol.manifests import Manifests, merged
from kubepostmortem.flowcontrol.preparation import Server
from kubepostmortem.flowcontrol.reacting import Policy
from kubepostmortem.simulation.effective import Effective

NAMES = ("actual", "defaults", "off", "fence")


@dataclass(frozen=True)
class Tried:
    """A policy with its name, and the server that it is in force on."""

    name: str
    policy: Policy
    server: Server

    @property
    def apf(self) -> bool:
        """Whether API Priority and Fairness decides, not in-flight limits alone."""
        return not isinstance(self.policy, InFlightLimits)


@dataclass(frozen=True)
class Wish:
    """What a user wants to try: a policy by its name, and what differs from it; None: nothing.

    manifests: FlowSchemas and priority levels that are applied on top.
    """

    policy: str = "actual"
    apf: bool | None = None
    max_requests_inflight: int | None = None
    max_mutating_requests_inflight: int | None = None
    manifests: Manifests | None = None


def tried(wish: Wish, known: Effective) -> Tried:
    """Return the policy of a wish. Raises UsageError for what does not go together."""
    if wish.policy not in ("actual", "defaults", "off"):
        raise UsageError(f"no policy {wish.policy!r}; there are: {', '.join(NAMES)}")
    if wish.policy == "off" and wish.apf:
        raise UsageError("the policy off is API Priority and Fairness off: try --policy defaults")
    apf = wish.apf if wish.apf is not None else wish.policy != "off" and _is_on(wish, known)
    reads = _or(wish.max_requests_inflight, known.max_requests_inflight)
    writes = _or(wish.max_mutating_requests_inflight, known.max_mutating_requests_inflight)
    server = replace(known.server, limit=reads + writes)
    if apf and not server.limit:
        raise UsageError("API Priority and Fairness needs limits: say --max-requests-inflight")
    if not apf:
        if wish.manifests is not None:
            raise UsageError("FlowSchemas do nothing without API Priority and Fairness")
        return Tried(_name(wish), InFlightLimits(reads, writes), server)
    base = known.configuration
    if wish.policy == "defaults":
        base = default_configuration(known.minor)
    if wish.manifests is not None:
        base = merged(base, wish.manifests)
    return Tried(_name(wish), base, server)


def _is_on(wish: Wish, known: Effective) -> bool:
    return wish.policy == "defaults" or known.apf


def _name(wish: Wish) -> str:
    flags = {
        "APF on": wish.apf is True,
        "APF off": wish.apf is False,
        f"{wish.max_requests_inflight} in flight": wish.max_requests_inflight is not None,
        f"{wish.max_mutating_requests_inflight} mutating in flight": (
            wish.max_mutating_requests_inflight is not None
        ),
        "with the given objects": wish.manifests is not None,
    }
    return ", ".join([wish.policy, *(text for text, told in flags.items() if told)])


def _or(value: int | None, usual: int) -> int:
    return usual if value is None else value
