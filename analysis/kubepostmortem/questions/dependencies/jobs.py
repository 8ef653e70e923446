"""What needs the API server to do its job: the entries of dependencies.toml, and how deep."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from kubepostmortem.assets import packaged

Without = Literal["stops", "changes stop", "runs on"]


# Controllers by kind, but with jobs of their own.
CONTROL_PLANE = ("kube-controller-manager", "cloud-controller-manager")


@dataclass(frozen=True)
class Job:
    """One job: who does it, and what becomes of it without the API server.

    after_s: seconds until it stops; None: it does not. leases: pattern of leases whose loss stops
    it. depth: 1 where the API server alone is needed, else one more than the deepest job it needs;
    0 where it runs on.
    """

    id: str
    job: str
    without: Without
    why: str
    components: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    leases: str | None = None
    after_s: float | None = None
    needs: tuple[str, ...] = ()
    own_store: str | None = None
    depth: int = 1

    def done_by(self, component: str, kind: str) -> bool:
        """Tell whether a component does this job."""
        own = component not in CONTROL_PLANE and kind in self.kinds
        return own or any(re.fullmatch(one, component) for one in self.components)

    def elected_by(self, lease: str) -> bool:
        """Tell whether the loss of an elected leader's lease stops it."""
        return self.leases is not None and re.fullmatch(self.leases, lease) is not None


@cache
def jobs() -> tuple[Job, ...]:
    """Return all jobs, the shallowest first, as dependencies.toml has them."""
    entries = {entry["id"]: entry for entry in packaged("dependencies.toml")["job"]}
    found = [_job(entry, depth(name, entries)) for name, entry in entries.items()]
    return tuple(sorted(found, key=lambda job: job.depth))


def _job(entry: Mapping[str, Any], links: int) -> Job:
    fields: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in entry.items()}
    return Job(**fields, depth=links)


def depth(job: str, entries: Mapping[str, Mapping[str, Any]]) -> int:
    """Return how many links lie between a job and the API server; 0: it needs none."""
    entry = entries[job]
    if entry["without"] == "runs on":
        return 0
    return 1 + max((depth(one, entries) for one in entry.get("needs", ())), default=0)
