"""Whether what ran is Kubernetes as released, a distribution's build, or something else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from kubepostmortem.questions.versions.programs import Program
from kubepostmortem.questions.words import listed
from kubepostmortem.releases import parse_version

Verdict = Literal["as released", "distribution", "own build"]

# kubectl is of whoever runs it.
OF_THE_CLUSTER = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "cloud-controller-manager",
    "kubelet",
    "kube-proxy",
    "unknown",
)


@dataclass(frozen=True)
class Sign:
    """Something in the versions that tells of who built it; own: not of a known distribution."""

    says: str
    own: bool
    distribution: str | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """All of it as plain data."""
        return asdict(self)


def signs(ran: Sequence[Program]) -> list[Sign]:
    """List what the versions of a cluster's programs tell of their builds, each thing once."""
    ours = [program for program in ran if program.component in OF_THE_CLUSTER]
    found = [sign for program in ours for sign in _of_version(program.version, program.dirty)]
    return list(dict.fromkeys([*found, *_of_commits(ours)]))


def verdict(found: Sequence[Sign]) -> Verdict:
    """Judge by all signs: what is of nobody that we know counts most."""
    if any(sign.own for sign in found):
        return "own build"
    return "distribution" if found else "as released"


def _of_version(version: str, dirty: bool) -> Iterator[Sign]:
    build = parse_version(version)
    if build is None:
        return
    if build.dirty or dirty:
        yield Sign(f"{version} was built from changed sources (a dirty tree)", own=True)
    if build.commits_after_tag:
        says = f"{version} has {build.commits_after_tag} commits on top of the release"
        yield Sign(says, own=True)
    if build.pre_release:
        yield Sign(f"{version} is a pre-release", own=True)
    if build.unknown_suffix:
        yield Sign(f"{version} has a suffix of no distribution that we know", own=True)
    if build.distribution:
        yield Sign(f"{version} is a build of {build.distribution}", False, build.distribution)


def _of_commits(ran: Sequence[Program]) -> Iterator[Sign]:
    """One release has one commit: other ones are other builds of it."""
    commits: dict[str, set[str]] = {}
    for program in ran:
        commits.setdefault(program.version, set()).update(program.commits)
    for version, built_from in sorted(commits.items()):
        if len(built_from) > 1:
            names = listed(sorted(built_from))
            yield Sign(f"{version} was built from different commits ({names})", own=True)
