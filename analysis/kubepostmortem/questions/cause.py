"""A cause as questions speak of it: who, what, since when, and how much."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kubepostmortem.questions.calls import Calls
from kubepostmortem.questions.words import listed

MANY = "many clients"


@dataclass(frozen=True, slots=True)
class Cause:
    """Growth of one pattern of requests.

    component, verb: None where it is of several; growth_rps: requests per second; growth_demand:
    uncongested API server seconds per second; share, share_of_requests: parts of the total growth
    of all clients; refused_share: part of its growth that was answered 429; newcomer: none or
    hardly any of it was there in the baseline; onset: its first request since it began to grow,
    with the interval that the onset lies in; kind: primary, possible, induced or minor.
    """

    component: str | None
    component_kind: str | None
    verb: str | None
    verbs: tuple[str, ...]
    resources: tuple[str, ...]
    scope: str | None
    growth_rps: float
    growth_demand: float
    share: float
    share_of_requests: float
    refused_share: float
    baseline_rps: float
    newcomer: bool
    onset: datetime | None
    onset_earliest: datetime | None
    onset_latest: datetime | None
    kind: str
    why: str

    @property
    def name(self) -> str:
        """Who it is, in a sentence."""
        return self.component or MANY

    @property
    def calls(self) -> Calls:
        """Its requests; what asks for no resource is not taken for what asks for any."""
        none = ("",) if self.scope == "nonresource" else ()
        return Calls(self.component, self.verb, self.resources or none)

    @property
    def does(self) -> str:
        """What it does, in a sentence: its verb, or its verbs."""
        return self.verb or listed(self.verbs) or "requests"
