"""The programs of Kubernetes that ran in a cluster, and the version of its API servers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from kubepostmortem.incident import iso
from kubepostmortem.questions.question import Inquiry

BUILD_INFO = "kubernetes_build_info"
KnownFrom = Literal["API servers", "control plane", "kubelets"]

PROGRAMS = """
with by_source as (
    select
        cluster, component, version, minor, named_by,
        count(distinct instance) as instances,
        list_distinct(list("left"(commit, 7))) as commits,
        bool_or(coalesce(tree_state = 'dirty', false)) as dirty,
        max(build_date) as build_date, max(go_version) as go_version,
        min(first_seen_at) as first_seen_at, max(last_seen_at) as last_seen_at,
        sum(requests)::bigint as requests
    from program_versions
    group by all
)
select
    cluster, component, version, minor,
    max(instances) as instances,
    list_sort(list(named_by)) as named_by,
    list_sort(list_distinct(flatten(list(commits)))) as commits,
    bool_or(dirty) as dirty,
    max(build_date) as build_date, max(go_version) as go_version,
    min(first_seen_at) as first_seen_at, max(last_seen_at) as last_seen_at,
    sum(requests)::bigint as requests
from by_source
group by cluster, component, version, minor
order by cluster, component, minor, version
"""

# What tells the version of the API servers, the surest first.
SIGNS: Sequence[tuple[KnownFrom, Sequence[str]]] = (
    ("API servers", ("kube-apiserver",)),
    ("control plane", ("kube-controller-manager", "kube-scheduler", "unknown")),
    ("kubelets", ("kubelet",)),
)


@dataclass(frozen=True)
class Program:
    """One version of a program of Kubernetes in a cluster.

    instances: by the source that names most; commits: their first seven digits; dirty: built from
    sources with changes that are in no commit; first_seen_at: None where only objects name it.
    """

    cluster: str
    component: str
    version: str
    minor: int
    instances: int
    named_by: Sequence[str]
    commits: Sequence[str]
    dirty: bool
    build_date: str | None
    go_version: str | None
    first_seen_at: datetime | None
    last_seen_at: datetime | None
    requests: int | None

    @property
    def facts(self) -> dict[str, Any]:
        """All of it as plain data."""
        times = (self.first_seen_at, self.last_seen_at)
        first, last = (iso(time) if time else None for time in times)
        return asdict(self) | {"first_seen_at": first, "last_seen_at": last}


@dataclass(frozen=True)
class Servers:
    """The versions of the API servers of a cluster; oldest, newest: minor versions.

    known_from: whose versions these are. API servers are never older than kubelets, and their
    controllers are at most one minor version older.
    """

    cluster: str
    oldest: int
    newest: int
    versions: Sequence[str]
    known_from: KnownFrom


def programs(inquiry: Inquiry) -> dict[str, list[Program]]:
    """Return the programs of each cluster."""
    found: dict[str, list[Program]] = {}
    for row in inquiry.rows("versions of the programs of Kubernetes", PROGRAMS):
        found.setdefault(row["cluster"], []).append(Program(**row))
    return found


def servers(cluster: str, ran: Sequence[Program]) -> Servers | None:
    """Return the versions of the API servers; None: nothing tells them."""
    for known_from, components in SIGNS:
        naming = [program for program in ran if program.component in components]
        # Anybody may call with the user agent of a program; metrics are the program's own.
        measured = [program for program in naming if BUILD_INFO in program.named_by]
        if telling := measured or naming:
            minors = [program.minor for program in telling]
            versions = list(dict.fromkeys(program.version for program in telling))
            return Servers(cluster, min(minors), max(minors), versions, known_from)
    return None
