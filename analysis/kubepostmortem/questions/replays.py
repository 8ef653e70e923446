"""Replays of the recorded load, which several questions ask for: one for each cluster and store."""

from __future__ import annotations

from kubepostmortem.errors import MissingEvidence
from kubepostmortem.questions.calls import MATCHING
from kubepostmortem.questions.growth import first_cause
from kubepostmortem.questions.question import Inquiry
from kubepostmortem.simulation.fencing import TriedFence, tried_fence
from kubepostmortem.simulation.load import Suspect
from kubepostmortem.simulation.policies import Tried, Wish, tried
from kubepostmortem.simulation.replaying import Replayable, replayable
from kubepostmortem.simulation.simulation import Simulation, simulate

# The cluster where the cause asks most; else the one with most requests.
CLUSTER = f"""
select cluster from overload_requests
where {MATCHING}
group by cluster
order by count(*) desc, cluster
limit 1
"""


def suspect(inquiry: Inquiry) -> Suspect | None:
    """Return whose calls a fence would hold: what the first cause does; None: nothing grew."""
    top = first_cause(inquiry)
    if top is None:
        return None
    verbs = (top.verb,) if top.verb else top.verbs
    return Suspect(top.component, verbs, top.calls.resources)


def cluster_of(inquiry: Inquiry) -> str:
    """Return the cluster that replays are about. Raises MissingEvidence."""
    top = first_cause(inquiry)
    calls = top.calls.parameters if top else {"component": None, "verb": None, "resources": []}
    found = inquiry.row("the cluster where the cause asks most", CLUSTER, **calls)
    if not found:
        raise MissingEvidence("incident", "no request of the overload is in the log")
    return str(found["cluster"])


def replay(inquiry: Inquiry, cluster: str | None = None) -> Replayable:
    """Return the recorded load of a cluster, ready to be tried under policies."""
    name = cluster or cluster_of(inquiry)

    def read(own: Inquiry) -> Replayable:
        return replayable(own, name, suspect(own))

    return inquiry.once(f"replay of {name}", read)


def simulation(inquiry: Inquiry, wish: Wish, cluster: str | None = None) -> Simulation:
    """Try a policy on the recorded load."""
    one = replay(inquiry, cluster)
    what: Tried = tried(wish, one.known)
    return inquiry.once(f"{one.cluster} under {wish}", lambda _: simulate(one.models, what))


def designed_fence(
    inquiry: Inquiry, cluster: str | None = None, seats: int | None = None
) -> TriedFence:
    """Design a fence for the first cause, and try it. Raises MissingEvidence without a cause."""
    one = replay(inquiry, cluster)
    return inquiry.once(f"fence of {seats} in {one.cluster}", lambda _: tried_fence(one, seats))
