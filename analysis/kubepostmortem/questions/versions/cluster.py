"""All that the versions of one cluster tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from kubepostmortem.incident import iso
from kubepostmortem.questions.question import Inquiry
from kubepostmortem.questions.versions import builds, skew
from kubepostmortem.questions.versions.builds import Sign, Verdict
from kubepostmortem.questions.versions.programs import Program, Servers, programs, servers
from kubepostmortem.questions.versions.skew import Violation
from kubepostmortem.questions.versions.states import ON, State, states
from kubepostmortem.questions.versions.support import Support, support
from kubepostmortem.questions.versions.switches import Switches, switches

DAYS = """
select cluster, min(begins_at) as began_at from incident
where time_window = 'overload' group by cluster order by cluster
"""
CHANGES = """
with counted as (
    select
        cluster, component, old_version, new_version, named_by,
        count(*) as instances, min(first_new_at) as first_at, max(first_new_at) as last_at
    from version_changes
    group by all
)
select * from counted
-- Several sources may tell of the same change.
qualify row_number() over (partition by cluster, component, old_version, new_version
    order by instances desc, named_by) = 1
order by cluster, first_at, component, old_version
"""
HAPPENED = "select cluster, circumstance, times from overload_circumstances order by all"
CONSISTENT_READS = "select cluster, from_cache, from_etcd from consistent_reads order by cluster"
AUDIT_LOG = "audit log"


@dataclass(frozen=True)
class Cluster:
    """What the versions of a cluster tell; servers: None where nothing names a version.

    consistent_reads: lists of the most recent state from_cache and from_etcd, for which an older
    etcd makes an API server fall back; None: no metric counts them.
    """

    name: str
    ran: Sequence[Program]
    servers: Servers | None
    support: Support | None
    signs: Sequence[Sign]
    violations: Sequence[Violation]
    changes: Sequence[dict[str, Any]]
    switches: Switches
    states: Sequence[State]
    consistent_reads: Mapping[str, int] | None

    @property
    def verdict(self) -> Verdict:
        """What its builds are."""
        return builds.verdict(self.signs)

    @property
    def missed(self) -> list[State]:
        """Protective features that it lacked or had off, and that would have helped."""
        return [s for s in self.states if s.here == "missed" and s.feature.kind != AUDIT_LOG]

    @property
    def switched_off(self) -> list[State]:
        """Protective features that were on by default and switched off."""
        return [s for s in self.states if s.state == "off by flag"]

    @property
    def facts(self) -> dict[str, Any]:
        """All of it as plain data."""
        return {
            "cluster": self.name,
            "api_servers": _told(self.servers),
            "support": self.support.facts if self.support else None,
            "builds": self.verdict,
            "signs": [sign.facts for sign in self.signs],
            "skew": [violation.facts for violation in self.violations],
            "changes": list(self.changes),
            "programs": [program.facts for program in self.ran],
            "features": [state.facts for state in self.states],
            "consistent_reads": self.consistent_reads,
            "lacks": [s.feature.id for s in self.states if s.state not in ON],
            "missed": [state.feature.id for state in self.missed],
        }


def clusters(inquiry: Inquiry) -> list[Cluster]:
    """Read the versions of every cluster that has an overload."""
    ran = programs(inquiry)
    changes = _by_cluster(inquiry.rows("upgrades and downgrades", CHANGES))
    happened = _by_cluster(inquiry.rows("what happened in the overload", HAPPENED))
    reads = _by_cluster(inquiry.rows("lists of the most recent state", CONSISTENT_READS))
    return [
        _cluster(
            inquiry,
            row["cluster"],
            row["began_at"].date(),
            ran.get(row["cluster"], []),
            changes.get(row["cluster"], []),
            {one["circumstance"]: one["times"] for one in happened.get(row["cluster"], [])},
            next(iter(reads.get(row["cluster"], [])), None),
        )
        for row in inquiry.rows("day of the overload", DAYS)
    ]


def _cluster(
    inquiry: Inquiry,
    name: str,
    day: date,
    ran: Sequence[Program],
    changes: Sequence[dict[str, Any]],
    happened: Mapping[str, int],
    reads: Mapping[str, Any] | None,
) -> Cluster:
    found = servers(name, ran)
    switched = switches(inquiry, name)
    kubelets = [program.minor for program in ran if program.component == "kubelet"]
    oldest = min(kubelets, default=None)
    return Cluster(
        name=name,
        ran=ran,
        servers=found,
        support=support(found.oldest, day) if found else None,
        signs=builds.signs(ran),
        violations=skew.violations(ran, found) if found else [],
        changes=[_plain(change) for change in changes],
        switches=switched,
        states=states(found.oldest, oldest, switched, happened) if found else [],
        consistent_reads={k: v for k, v in reads.items() if k != "cluster"} if reads else None,
    )


def _by_cluster(rows: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["cluster"], []).append(row)
    return found


def _told(servers: Servers | None) -> dict[str, Any] | None:
    if servers is None:
        return None
    return {
        "oldest": f"1.{servers.oldest}",
        "newest": f"1.{servers.newest}",
        "versions": list(servers.versions),
        "known_from": servers.known_from,
    }


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: iso(value) if isinstance(value, datetime) else value for key, value in row.items()}
