"""The profile of one cause, down to the workload: who calls, from where, how, and how often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from kubepostmortem.attribution.fan_out import FanOut
from kubepostmortem.incident import iso
from kubepostmortem.questions.callers import (
    Example,
    User,
    Workload,
    examples,
    footprint,
    users,
    workloads,
)
from kubepostmortem.questions.calls import Calls
from kubepostmortem.questions.question import Inquiry
from kubepostmortem.questions.reading import Pace, Shape, paces, shapes
from kubepostmortem.questions.retries import Retrying, retrying
from kubepostmortem.questions.waves import Wave, law, waves


@dataclass(frozen=True)
class Profile:
    """What the requests of one cause in the overload have in common.

    calls: which requests these are; users, workloads, shapes and paces: the largest first;
    requests, user_count, clients, pods, nodes, addresses: how many there are of each, whatever is
    listed; cluster_nodes: nodes of the clusters, whoever called from them.
    """

    calls: Calls
    requests: int
    user_count: int
    clients: int
    pods: int
    nodes: int
    addresses: int
    cluster_nodes: int
    users: tuple[User, ...]
    workloads: tuple[Workload, ...]
    waves: tuple[Wave, ...]
    shapes: tuple[Shape, ...]
    paces: tuple[Pace, ...]
    retrying: Retrying
    fan_out: FanOut | None
    examples: tuple[Example, ...]

    @property
    def service_account(self) -> str | None:
        """The service account (namespace/name) of most requests; None for another kind of user."""
        return self.users[0].service_account if self.users else None

    @property
    def interval_s(self) -> float | None:
        """Seconds between two requests of one client for one resource, of the best known pace."""
        return self.paces[0].interval_s if self.paces else None


def profile(
    inquiry: Inquiry, component: str | None, verb: str | None, resources: Sequence[str] = ()
) -> Profile:
    """Look up the requests of this pattern in the overload; None or no resources match any."""
    calls = Calls(component, verb, tuple(resources))
    found = workloads(inquiry, calls)
    pace = paces(inquiry, calls)
    return Profile(
        calls=calls,
        **footprint(inquiry, calls),
        users=users(inquiry, calls),
        workloads=found,
        waves=waves(inquiry, calls, [one.workload for one in found]),
        shapes=shapes(inquiry, calls),
        paces=pace,
        retrying=retrying(inquiry, calls),
        fan_out=law(inquiry, calls, pace[0].interval_s if pace else None),
        examples=examples(inquiry, calls),
    )


def evidence(profile: Profile) -> dict[str, Any]:
    """Return the profile as plain data for JSON; times are ISO 8601."""
    retrying = profile.retrying
    facts = asdict(profile) | {
        "service_account": profile.service_account,
        "interval_s": profile.interval_s,
        "paces": [
            asdict(pace) | {"jitter": pace.jitter, "periodic": pace.periodic}
            for pace in profile.paces
        ],
        "retrying": asdict(retrying)
        | {"unique_requests": retrying.unique_requests, "retry_factor": retrying.retry_factor},
    }
    told: dict[str, Any] = plain(facts)
    return told


def plain(value: Any) -> Any:
    """Return a value with its times as ISO 8601, tuples as lists."""
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return value
