"""Versions that are further apart than the skew policy of Kubernetes allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from kubepostmortem.questions.versions.programs import Program, Servers
from kubepostmortem.releases import Skew, skew

SERVER = "kube-apiserver"


@dataclass(frozen=True)
class Violation:
    """Programs of one version that are outside of the policy, and by what rule."""

    component: str
    version: str
    instances: int
    rule: str

    @property
    def facts(self) -> dict[str, Any]:
        """All of it as plain data."""
        return asdict(self)


def violations(ran: Sequence[Program], servers: Servers) -> list[Violation]:
    """List what the skew policy does not allow; nothing where API servers themselves are unknown.

    With API servers of several versions a program must fit all of them.
    """
    if servers.known_from != "API servers":
        return []
    broken = [(program, _broken(program, servers)) for program in ran]
    return [Violation(p.component, p.version, p.instances, rule) for p, rule in broken if rule]


def _broken(program: Program, servers: Servers) -> str | None:
    allowed = skew(program.component, program.minor)
    if allowed is None:
        return None
    if program.component == SERVER:
        return _among_servers(program, servers, allowed)
    if program.minor > servers.oldest + allowed.newer:
        most = _versions(allowed.newer)
        limit = f"may be at most {most} newer than" if allowed.newer else "must not be newer than"
        return f"{limit} API servers (1.{servers.oldest})"
    if program.minor < servers.newest - allowed.older:
        return (
            f"may be at most {_versions(allowed.older)} older than API servers (1.{servers.newest})"
        )
    return None


def _among_servers(program: Program, servers: Servers, allowed: Skew) -> str | None:
    if program.minor >= servers.newest - allowed.older:
        return None
    return f"API servers must be within {_versions(allowed.older)} (newest: 1.{servers.newest})"


def _versions(count: int) -> str:
    return "one minor version" if count == 1 else f"{count} minor versions"
